"""Bars of what a search found: the largest value that met the target, and where it first failed."""
import math

import pandas

from tangram_plots import labels, selection, style
from tangram_plots.errors import InputError

COMPARISONS = {"at_least": "\N{GREATER-THAN OR EQUAL TO}", "at_most": "\N{LESS-THAN OR EQUAL TO}"}


def draw(results, options):
    rows = searches(results, options)
    _check_same_question(results)
    columns = [column for column in rows if column.startswith("axis:")]
    varying = [column for column in columns if rows[column].nunique() > 1]
    inner = _inner_column(results, options, rows, varying)
    outer = [column for column in varying if column != inner]
    groups = _ascending(selection.grouped(rows, outer))
    series = [key[0] for key, _ in selection.grouped(rows, [inner])] if inner else [None]
    if len(series) > len(style.COLOURS):
        raise InputError(f"{len(series)} kinds of bars are more than a reader can tell apart: at most "
                         f"{len(style.COLOURS)}; choose with --where or --by")
    figure, axes = style.new_figure(options.width)
    bars, failing = _draw_bars(axes, groups, inner, series)
    style.name_categories(axes, _group_names(outer, [key for key, _ in groups]))
    axes.margins(y=0.12)
    if len(outer) == 1 and outer[0].startswith("axis:"):
        axes.set_xlabel(labels.of_axis(outer[0][5:], results[0].scenario))
    search = results[0].sweep.get("search", {})
    axes.set_ylabel("Largest " + _lower_first(labels.of_axis(search["pointer"], {})))
    if options.log_y:
        axes.set_yscale("log")
        style.logarithmic(axes.yaxis)
    axes.set_title(options.title or _target(search), fontsize=7.5)
    handles = bars if inner else []
    names = selection.line_names([inner], [(value,) for value in series]) if inner else []
    if failing is not None:
        handles, names = handles + [failing], names + ["first that failed"]
    style.legend_above(figure, handles, names)
    return figure


def _ascending(groups):
    """Groups of one numeric axis in the order of the numbers."""
    numbers = [labels.number_of(key[0]) if len(key) == 1 else None for key, _ in groups]
    if None in numbers:
        return groups
    return [group for _, group in sorted(zip(numbers, groups), key=lambda pair: pair[0])]


def _check_same_question(results):
    """Bars of searches for different things must not stand side by side."""
    for result in results[1:]:
        for key in ("pointer", "target"):
            first, other = (one.sweep.get("search", {}).get(key) for one in (results[0], result))
            if first != other:
                raise InputError(f"{result.path}: searches with {key} {other}; {results[0].path} with "
                                 f"{first}")


def searches(results, options):
    """/search of all files as one table, with `label` and `axis:POINTER` columns."""
    tables = []
    for result in results:
        if not result.has("search"):
            raise InputError(f"{result.path}: has no /search: only a sweep with a \"search\" has one")
        table = result.table("search")
        kept = selection.kept_rows(result, results, options)
        table = table[table["point"].isin(kept["point"])]
        found = table[["point", "highest_pass", "first_fail", "monotone"]].copy()
        for axis in result.axes[:-1]:  # the last one is the search's own
            found["axis:" + axis.pointer] = table[axis.column + ".text"]
        found.insert(0, "label", result.label)
        tables.append(found)
    return pandas.concat(tables, ignore_index=True)


def _inner_column(results, options, rows, varying):
    """What the bars of one group differ in: --by, else the file, else the second axis."""
    if options.by:
        pointer = selection.pointer_named(options.by[0], results)
        if pointer is None or "axis:" + pointer not in rows:
            raise InputError(f'--by: "{options.by[0]}" is no axis of the sweep')
        return "axis:" + pointer
    if rows["label"].nunique() > 1:
        return "label"
    return varying[1] if len(varying) > 1 else None


def _draw_bars(axes, groups, inner, series):
    """Returns the bars of each series and, where there is any, a mark of a first failure."""
    width = 0.8 / len(series) if len(series) > 1 else 0.55
    bars, failing = [], None
    for i, value in enumerate(series):
        x, heights, fails = [], [], []
        for g, (_, rows) in enumerate(groups):
            found = rows if inner is None else rows[rows[inner] == value]
            for _, row in found.iterrows():
                x.append(g + (i - (len(series) - 1) / 2) * width)
                heights.append(row["highest_pass"])
                fails.append(row["first_fail"])
                remark(axes, x[-1], row)
        drawn = axes.bar(x, [0 if math.isnan(height) else height for height in heights],
                         width * 0.92, **style.fill_style(i))
        bars.append(drawn)
        marks = [(at, fail) for at, fail in zip(x, fails) if not math.isnan(fail)]
        if marks:
            failing = axes.plot(*zip(*marks), linestyle="none", marker="v", markersize=4,
                                markerfacecolor="white", markeredgecolor="black",
                                markeredgewidth=0.7)[0]
    return bars, failing


def remark(axes, x, row):
    """What the height of a bar does not say."""
    text = ""
    if math.isnan(row["highest_pass"]):
        text = "none"
    elif math.isnan(row["first_fail"]):
        text = COMPARISONS["at_least"]  # every value that was tried passed
    elif not row["monotone"]:
        text = "not\nmonotone"
    if text:
        height = max(value for value in (row["highest_pass"], row["first_fail"], 0)
                     if not math.isnan(value))
        axes.annotate(text, (x, height), xytext=(0, 5), textcoords="offset points", ha="center",
                      fontsize=6.5)


def _group_names(columns, keys):
    """What stands below each group: the values alone, since the axis says of what; a single axis
    that is a number needs no more."""
    if len(columns) == 1 and columns[0].startswith("axis:"):
        names = labels.of_values(dict.fromkeys(key[0] for key in keys))
        return [names[key[0]] for key in keys]
    return [name.replace(", ", "\n") for name in selection.line_names(columns, keys)]


def _target(search):
    target = search.get("target", {})
    bound = next((name for name in COMPARISONS if name in target), None)
    if bound is None:
        return ""
    keys = target["metric"].strip("/").split("/")
    every = keys[0] == "workloads"
    metric = ".".join(keys[2:] if every else keys[1:] if keys[0] == "total" else keys)
    whose = "" if not every else "of every workload " if keys[1] == "*" else f"of {keys[1]} "
    name, _, unit = labels.of_metric(metric).rstrip(")").partition(" (")
    value = target[bound] * (100 if labels.in_percent(metric) else 1)
    return f"{name} {whose}{COMPARISONS[bound]} {value:g} {unit}".rstrip()


def _lower_first(text):
    return text[:1].lower() + text[1:]
