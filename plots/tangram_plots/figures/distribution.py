"""Distribution functions of the latency, from the histograms: every replication counts."""
import numpy

from tangram_plots import labels, selection, style
from tangram_plots.errors import InputError, unknown_name

QUANTITIES = ("latency", "wait", "exec")
TOTAL = "total"
MARKERS_PER_LINE = 8


def cdf(results, options):
    return _draw(results, options, complementary=False)


def ccdf(results, options):
    return _draw(results, options, complementary=True)


class Curve:
    """One line: the bins of a workload at a point, all replications together."""

    def __init__(self, key, bins):
        self.key = key  # the file's label, the values of the axes, the workload
        self.slo_ms = bins["slo_ms"].iloc[0] if bins["slo_ms"].nunique() == 1 else numpy.nan
        bins = bins.groupby(["lower_ns", "upper_ns"])["count"].sum().reset_index()
        self.edges_ms = numpy.append(bins["lower_ns"].iloc[0], bins["upper_ns"]) / 1e6
        counts = numpy.append(0, bins["count"].cumsum()).astype(float)
        self.at_most = counts / counts[-1]


def _draw(results, options, complementary):
    quantity = options.y or "latency"
    if quantity not in QUANTITIES:
        raise InputError("--y: " + unknown_name("histogram", quantity, list(QUANTITIES)))
    drawn = curves(results, options, quantity)
    figure, axes = style.new_figure(options.width)
    handles = []
    for i, curve in enumerate(drawn):
        look = dict(style.line_style(i), markersize=3.5)
        if complementary:
            # The last edge is where nothing is left: no place on a logarithmic axis.
            x, y = curve.edges_ms[:-1], 1 - curve.at_most[:-1]
        else:
            x, y = curve.edges_ms, curve.at_most
        handles += axes.plot(x, y, markevery=_marker_places(x, y, i, complementary), **look)
    names = _names(results, drawn)
    if quantity == "latency":
        handles.append(_draw_objectives(axes, drawn))
        names.append("SLO")
    _finish(axes, drawn, quantity, options, complementary)
    style.legend_above(figure, handles, names)
    return figure


def _draw_objectives(axes, drawn):
    """A line for each objective: in the colour of its curve, or grey when several share it. Returns
    a mark for the legend."""
    look = {"linewidth": 0.8, "linestyle": (0, (4, 2))}
    for slo_ms in sorted({curve.slo_ms for curve in drawn if not numpy.isnan(curve.slo_ms)}):
        owners = [i for i, curve in enumerate(drawn) if curve.slo_ms == slo_ms]
        colour = style.line_style(owners[0])["color"] if len(owners) == 1 else style.GREY
        axes.axvline(slo_ms, color=colour, zorder=1, **look)
    return axes.plot([], [], color=style.GREY, **look)[0]


def _marker_places(x, y, i, complementary):
    """Indices of some points, evenly spaced over the height of the line and shifted from line to
    line: equally many markers everywhere would pile up where the bins are narrow."""
    height = -numpy.log10(y) if complementary else y
    low, high = height[0], height[-1]
    wanted = low + (high - low) * (numpy.arange(MARKERS_PER_LINE) + 0.25 + 0.5 * (i % 2)) \
        / MARKERS_PER_LINE
    return sorted(set(int(k) for k in numpy.searchsorted(height, wanted).clip(0, len(x) - 1)))


def _finish(axes, drawn, quantity, options, complementary):
    axes.set_xlabel(f"{labels.QUANTITIES[quantity].capitalize()} (ms)")
    positive = min(curve.edges_ms[0] for curve in drawn) > 0
    if options.log_x if options.log_x is not None else positive:
        axes.set_xscale("log")
        style.logarithmic(axes.xaxis)
    if complementary:
        axes.set_ylabel("Fraction of requests > x")
        if options.log_y is not False:
            axes.set_yscale("log")
            style.logarithmic(axes.yaxis)
    else:
        axes.set_ylabel("Fraction of requests \N{LESS-THAN OR EQUAL TO} x")
        axes.set_ylim(0, 1.02)
    if options.title:
        axes.set_title(options.title)


def curves(results, options, quantity):
    """The curves in the order of files, points and workloads. `--workload total` puts all workloads
    together; then the line has no objective unless all share it."""
    named = tuple(name for name in options.workloads if name != TOTAL)
    selection.check_workloads(results, named)
    pointers = selection.pointers_of(results)
    found = []
    for result in results:
        if not result.has("histograms/" + quantity):
            raise InputError(f"{result.path}: has no histogram of \"{quantity}\"; it has: "
                             + (", ".join(name for name in QUANTITIES
                                          if result.has("histograms/" + name)) or "none"))
        rows = selection.kept_rows(result, results, options)
        own = ["point"] + [axis.column for axis in result.axes]
        bins = result.table("histograms/" + quantity).rename(columns={"point": "row"})
        bins = bins.merge(result.workloads[["row", "number", "name", "slo_ms"]],
                          left_on=["row", "workload"], right_on=["row", "number"])
        bins = bins.merge(rows[own], left_on="row", right_index=True)
        for key, part in selection.grouped(bins, own):
            texts = dict(zip((axis.pointer for axis in result.axes), key[1:]))
            values = tuple(texts.get(pointer) for pointer in pointers)
            for name, own_bins in _by_workload(part, options.workloads):
                found.append(Curve((result.label, *values, name), own_bins))
        if len(found) > style.MOST_SERIES:
            raise InputError(f"more than {style.MOST_SERIES} lines cannot be told apart: choose with "
                             "--point, --where or --workload")
    if not found:
        raise InputError("no request was completed in what was chosen")
    return found


def _names(results, drawn):
    """The names of the curves: what differs among them."""
    columns = ["label"] + ["axis:" + pointer for pointer in selection.pointers_of(results)] \
        + [selection.WORKLOAD]
    differing = [k for k in range(len(columns)) if len({curve.key[k] for curve in drawn}) > 1]
    kept = differing or [len(columns) - 1]
    return selection.line_names([columns[k] for k in kept],
                                [tuple(curve.key[k] for k in kept) for curve in drawn])


def _by_workload(bins, wanted):
    if TOTAL in wanted:
        yield TOTAL, bins
    for (name,), part in selection.grouped(bins, ["name"]):
        if not wanted or name in wanted:
            yield name, part
