"""How every figure looks, and how it is written: sizes of a paper, colours that colour-blind
readers tell apart, and bytes that depend on the input only."""
import io
import logging
import math

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Inches: one column of a two-column page, and its whole text width.
WIDTHS = {"column": 3.33, "page": 7.0}
HEIGHTS = {"column": 2.2, "page": 3.0}
FORMATS = ("pdf", "svg", "png")

# Okabe and Ito (2008), without the yellow that is too pale for lines. Greyscale and colour-blind
# readers have the markers, dashes and hatches.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)))
# No dots and circles: in SVG they take a hundred times the bytes of lines.
HATCHES = ("", "////", "----", "xxxx", "\\\\\\\\", "||||", "++++")
# Colours and dashes have no common divisor, so that this many pairs differ.
MOST_SERIES = len(COLOURS) * len(DASHES)
LONGEST_NAME = 20  # letters of a name below an axis
GREY = "#777777"
PALE = "#EEEEEE"

SETTINGS = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same glyphs everywhere
    "font.size": 7.5, "axes.labelsize": 7.5, "axes.titlesize": 8, "legend.fontsize": 7,
    "xtick.labelsize": 7, "ytick.labelsize": 7,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": "#DDDDDD", "grid.linewidth": 0.5,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4, "lines.linewidth": 1.2, "lines.markersize": 4,
    "patch.linewidth": 0.6, "hatch.linewidth": 0.5, "legend.frameon": False,
    "legend.handlelength": 2.4, "legend.columnspacing": 1.2, "legend.borderaxespad": 0.2,
    "pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "tangram", "savefig.dpi": 200,
}


def apply():
    """Sets matplotlib to our settings alone: a user's matplotlibrc would change the bytes."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # not: "building the font cache"
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(SETTINGS)


def new_figure(width, height=None):
    """A figure and its axes; `width` is a key of WIDTHS, `height` in inches."""
    figure = Figure(figsize=(WIDTHS[width], height or HEIGHTS[width]))
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03)
    return figure, figure.add_subplot()


def new_panels(width, count):
    """A figure of `count` axes, one below the other, each three quarters as high as a figure's."""
    figure = Figure(figsize=(WIDTHS[width], 0.75 * count * HEIGHTS[width]))
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03)
    return figure, figure.subplots(count, sharex=True)


def line_style(i):
    """The look of the i-th line of a figure."""
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[i % len(DASHES)],
            "marker": MARKERS[i % len(MARKERS)]}


def fill_style(i):
    """The look of the i-th kind of box of a figure."""
    return {"facecolor": COLOURS[i % len(COLOURS)],
            "hatch": HATCHES[(i + i // len(COLOURS)) % len(HATCHES)],
            "edgecolor": "white", "linewidth": 0.4}


def text_on(i):
    """The colour of text on the i-th kind of box: black or white, whichever has more contrast."""
    red, green, blue = matplotlib.colors.to_rgb(COLOURS[i % len(COLOURS)])
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def legend_above(figure, handles, names):
    """A legend above the axes, in as many columns as fit, for which the figure grows: it covers no
    data and takes no room from the axes."""
    if not handles:
        return
    for columns in range(min(len(handles), 6), 0, -1):
        legend = figure.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, 1),
                               ncol=columns)
        box = legend.get_window_extent(figure.canvas.get_renderer())
        if columns == 1 or box.width <= figure.bbox.width * 0.98:
            break
        legend.remove()
    width, height = figure.get_size_inches()
    legend_height = box.height / figure.dpi
    figure.set_size_inches(width, height + legend_height)
    figure.get_layout_engine().set(rect=(0, 0, 1, height / (height + legend_height)))


def shortened(name, most):
    """The name with its middle left out when it has more than `most` letters."""
    if len(name) <= most:
        return name
    tail = (most - 3) // 2
    return name[:most - 3 - tail] + "..." + name[-tail:]


def name_categories(axes, names):
    """Names below the places 0, 1, ... of the horizontal axis; those that would touch each other
    lean, and long ones are cut in the middle: they would leave no room for the data."""
    names = ["\n".join(shortened(line, LONGEST_NAME) for line in name.split("\n")) for name in names]
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.grid(axis="x", visible=False)
    letters = max(len(line) for name in names for line in name.split("\n"))
    points_each = axes.figure.get_size_inches()[0] * 0.85 * 72 / len(names)
    if letters * 4.2 > points_each:
        for text in axes.get_xticklabels():
            text.set(rotation=35, horizontalalignment="right", rotation_mode="anchor")


def logarithmic(axis):
    """Sets ticks that are few and read as numbers on a logarithmic axis ("x" or "y" of axes)."""
    axis.set_major_locator(matplotlib.ticker.LogLocator(numticks=9))
    axis.set_minor_locator(matplotlib.ticker.LogLocator(subs=range(2, 10), numticks=9))
    low, high = axis.get_view_interval()
    decades = math.log10(high / low) if low > 0 else math.inf
    if decades < 0.6:
        # No decade and few of its steps would fall into the range.
        axis.set_major_locator(matplotlib.ticker.AutoLocator())
        axis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(matplotlib.ticker.NullLocator())
        return
    plain = matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}")
    if 1e-3 <= low and high <= 1e5:
        axis.set_major_formatter(plain)
    if decades < 1.2:
        # Less than two labelled decades: some ticks in between get labels too.
        axis.set_minor_formatter(matplotlib.ticker.FuncFormatter(
            lambda value, _: f"{value:g}" if round(value / 10**math.floor(math.log10(value)), 6)
            in (2, 3, 5) else ""))
    else:
        axis.set_minor_formatter(matplotlib.ticker.NullFormatter())


def rendered(figure, kind):
    """The bytes of the figure as "pdf", "svg" or "png"; neither time nor machine is in them."""
    metadata = {"pdf": {"CreationDate": None, "Creator": "tangram plot"},
                "svg": {"Date": None, "Creator": "tangram plot"},
                "png": {"Software": "tangram plot"}}
    target = io.BytesIO()
    figure.savefig(target, format=kind, metadata=metadata[kind])
    return target.getvalue()
