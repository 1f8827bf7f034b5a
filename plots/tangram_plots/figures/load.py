"""A metric against the load, or any other axis: a line per value of the other axes, with 95 %
confidence intervals over the replications."""
import math

from tangram_plots import labels, selection, style
from tangram_plots.errors import InputError, unknown_name
from tangram_plots.statistics import interval


def latency(results, options):
    return draw(results, options, "latency_ms.p99", log_y=True)


def attainment(results, options):
    return draw(results, options, "slo_attainment")


def goodput(results, options):
    return draw(results, options, "good_rate_rps")


def curve(results, options):
    """Latency above, SLO attainment below, against the same load."""
    table, axis, columns, lines = _lines(results, options)
    metric = selection.metric_named(options.y or "latency_ms.p99", table)
    figure, (upper, lower) = style.new_panels(options.width, 2)
    handles = []
    for i, (_, rows) in enumerate(lines):
        handles.append(_draw_line(upper, i, rows, axis, metric, 100 if labels.in_percent(metric) else 1))
        _draw_line(lower, i, rows, axis, "slo_attainment", 100)
    names = selection.line_names(columns, [key for key, _ in lines])
    handles, names = _with_objective(upper, table, metric, handles, names)
    handles, names = _with_target(lower, results, handles, names)
    _finish(upper, table, axis, metric, options, options.y is None)
    _finish(lower, table, axis, "slo_attainment", options, False)
    upper.set_xlabel("")
    lower.set_title("")
    if len(handles) > 1:
        style.legend_above(figure, handles, names)
    return figure


class HorizontalAxis:
    """What the runs are drawn against: an axis of the sweep, numeric or not, or a metric."""

    def __init__(self, results, options, table):
        self.pointer = None
        self.categories = None
        self.column = self._column(results, options, table)
        if self.pointer is None:
            self.label = labels.of_metric(self.column)
            return
        self.label = labels.of_axis(self.pointer, results[0].scenario)
        texts = list(dict.fromkeys(table[self.column].dropna()))
        if any(labels.number_of(text) is None for text in texts):
            self.categories = texts

    def _column(self, results, options, table):
        if options.x is not None:
            self.pointer = selection.pointer_named(options.x, results)
            if self.pointer is not None:
                return "axis:" + self.pointer
            try:
                return selection.metric_named(options.x, table)
            except InputError:
                known = selection.pointers_of(results) + ["offered_rps", "gpus.used"]
                raise InputError("--x: " + unknown_name("axis or metric", options.x, known)) from None
        found = selection.varying(results)
        numeric = [pointer for pointer in found
                   if all(labels.number_of(text) is not None
                          for text in table["axis:" + pointer].dropna())]
        if not found:
            return "offered_rps"
        # The values that a search tried make the longest lines.
        searched = [pointer for pointer in numeric if pointer == results[0].searched]
        self.pointer = (searched or numeric or found)[0]
        return "axis:" + self.pointer

    def value(self, rows):
        """Where the runs of one point stand; NaN when they lack the axis."""
        if self.pointer is None:
            return float(rows[self.column].mean())
        text = rows[self.column].iloc[0]
        if not isinstance(text, str):
            return math.nan
        return self.categories.index(text) if self.categories else labels.number_of(text)


def _lines(results, options):
    """The table of runs, what they are drawn against, and the rows of each line."""
    table = selection.runs_table(results, options, per_workload=selection.WORKLOAD in options.by)
    axis = HorizontalAxis(results, options, table)
    columns = selection.lines_by(results, options, axis.pointer, table)
    lines = selection.grouped(table, columns)
    if len(lines) > style.MOST_SERIES:
        raise InputError(f"{len(lines)} lines are more than a reader can tell apart; at most "
                         f"{style.MOST_SERIES}: choose with --where, --by or --workload")
    return table, axis, columns, lines


def draw(results, options, default_metric, log_y=False):
    table, axis, columns, lines = _lines(results, options)
    metric = selection.metric_named(options.y or default_metric, table)
    figure, axes = style.new_figure(options.width)
    scale = 100 if labels.in_percent(metric) else 1
    handles = []
    for i, (_, rows) in enumerate(lines):
        handles.append(_draw_line(axes, i, rows, axis, metric, scale))
    names = selection.line_names(columns, [key for key, _ in lines])
    handles, names = _with_objective(axes, table, metric, handles, names)
    _finish(axes, table, axis, metric, options, log_y and options.y is None)
    if len(handles) > 1:
        style.legend_above(figure, handles, names)
    return figure


def _draw_line(axes, i, rows, axis, metric, scale):
    # The points of a sweep are told apart by all their axes: a search has many runs per point.
    own = ["file", "point"] + [column for column in rows if column.startswith("axis:")]
    points = []
    for _, runs in selection.grouped(rows, own):
        mean, half_width = interval(runs[metric] * scale)
        points.append((axis.value(runs), mean, half_width))
    points = sorted(point for point in points if not math.isnan(point[0]))
    x, y, error = zip(*points) if points else ((), (), ())
    error = None if all(math.isnan(value) for value in error) else error
    look = style.line_style(i)
    if axis.categories:
        look["linestyle"] = "none"  # nothing lies between two names
    return axes.errorbar(x, y, yerr=error, capsize=2, elinewidth=0.8, markeredgewidth=0.6, **look)


def _finish(axes, table, axis, metric, options, log_y):
    axes.set_xlabel(axis.label)
    axes.set_ylabel(labels.of_metric(metric))
    if axis.categories:
        names = labels.of_values(axis.categories)
        style.name_categories(axes, [names[text] for text in axis.categories])
    elif options.log_x:
        axes.set_xscale("log")
        style.logarithmic(axes.xaxis)
    if options.log_y if options.log_y is not None else log_y:
        axes.set_yscale("log")
        style.logarithmic(axes.yaxis)
    elif labels.in_percent(metric):
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, -3), min(high, 103))
    elif table[metric].min() >= 0:
        axes.set_ylim(bottom=0)
    if options.title:
        axes.set_title(options.title)


def _with_objective(axes, table, metric, handles, names):
    """A latency is judged by its objective, drawn where all that is shown have the same."""
    objectives = table["slo_ms"].unique() if "slo_ms" in table else ()
    if not metric.startswith("latency_ms.") or len(objectives) != 1:
        return handles, names
    line = axes.axhline(objectives[0], color=style.GREY, linewidth=0.8, linestyle=(0, (4, 2)),
                        zorder=1)
    if len(names) == 1:
        names = [labels.of_metric(metric).removesuffix(" (ms)")]
    return handles + [line], names + [f"SLO {objectives[0]:g} ms"]


def _with_target(axes, results, handles, names):
    """The attainment that the search asked for."""
    target = results[0].sweep.get("search", {}).get("target", {})
    if "slo_attainment" not in target.get("metric", "") or "at_least" not in target:
        return handles, names
    percent = 100 * target["at_least"]
    line = axes.axhline(percent, color=style.GREY, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=1)
    return handles + [line], names + [f"target {percent:g} %"]
