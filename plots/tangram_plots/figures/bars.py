"""A metric of each workload, one bar per file and point, with 95 % intervals over replications."""
import math

from tangram_plots import labels, selection, style
from tangram_plots.errors import InputError
from tangram_plots.statistics import interval


def draw(results, options):
    table = selection.runs_table(results, options, per_workload=True)
    metric = selection.metric_named(options.y or "slo_attainment", table)
    columns = [column for column in selection.lines_by(results, options, None, table)
               if column != selection.WORKLOAD]
    series = selection.grouped(table, columns)
    if len(series) > len(style.COLOURS):
        raise InputError(f"{len(series)} kinds of bars are more than a reader can tell apart: at most "
                         f"{len(style.COLOURS)}; choose with --point or --where")
    names = list(dict.fromkeys(table[selection.WORKLOAD]))
    scale = 100 if labels.in_percent(metric) else 1
    figure, axes = style.new_figure(options.width)
    width = 0.8 / len(series) if len(series) > 1 else 0.55
    drawn = []
    for i, (_, rows) in enumerate(series):
        x, heights, errors = [], [], []
        for (name,), runs in selection.grouped(rows, [selection.WORKLOAD]):
            mean, half_width = interval(runs[metric] * scale)
            x.append(names.index(name) + (i - (len(series) - 1) / 2) * width)
            heights.append(mean)
            errors.append(half_width)
        drawn.append(axes.bar(x, heights, width * 0.92, **style.fill_style(i)))
        if not all(math.isnan(error) for error in errors):
            axes.errorbar(x, heights, yerr=errors, linestyle="none", ecolor="black", capsize=2,
                          elinewidth=0.8)
    _finish(axes, names, metric, options)
    if len(series) > 1:
        style.legend_above(figure, drawn, selection.line_names(columns, [key for key, _ in series]))
    return figure


def _finish(axes, names, metric, options):
    axes.set_ylabel(labels.of_metric(metric))
    style.name_categories(axes, names)
    if options.log_y:
        axes.set_yscale("log")
        style.logarithmic(axes.yaxis)
    elif labels.in_percent(metric):
        axes.set_ylim(0, 103)
    if options.title:
        axes.set_title(options.title)
