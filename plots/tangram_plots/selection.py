"""Which rows of the results a figure draws: the tables of several files as one, narrowed by the
user's options."""
import dataclasses
from typing import Optional

import pandas

from tangram_plots import labels
from tangram_plots.errors import InputError, unknown_name

WORKLOAD = "workload"
NOT_METRICS = {"point", "row", "number", "replication", "seed", "name", "model", "file", "label",
               WORKLOAD}


@dataclasses.dataclass
class Options:
    """The options of `tangram plot`; None: the figure's default."""
    x: Optional[str] = None
    y: Optional[str] = None
    by: tuple = ()
    where: tuple = ()  # (axis, value)
    workloads: tuple = ()
    points: tuple = ()
    start_s: Optional[float] = None
    end_s: Optional[float] = None
    log_x: Optional[bool] = None
    log_y: Optional[bool] = None
    title: Optional[str] = None
    width: str = "column"


def one_result(results, figure):
    if len(results) != 1:
        raise InputError(f"--figure {figure}: draws one file; got {len(results)}")
    return results[0]


def pointers_of(results):
    """The pointers of all axes, in the order of the files."""
    return list(dict.fromkeys(axis.pointer for result in results for axis in result.axes))


def varying(results):
    """The pointers of the axes with more than one value, over all files that have them."""
    values = {}
    for result in results:
        for axis in result.axes:
            values.setdefault(axis.pointer, set()).update(result.rows[axis.column])
    return [pointer for pointer, texts in values.items() if len(texts) > 1]


def pointer_named(name, results):
    """The pointer of the axis that the user means: all of it, its end, or "axis.K"; or None."""
    known = pointers_of(results)
    if name in known:
        return name
    if name.startswith("axis.") and name[5:].isdigit() and int(name[5:]) < len(results[0].axes):
        return results[0].axes[int(name[5:])].pointer
    ends = [pointer for pointer in known if pointer.endswith("/" + name.strip("/"))]
    short = [pointer for pointer in known if labels.short_of_axis(pointer) == name]
    for found in (ends, short):
        if len(found) > 1:
            raise InputError(f'axis "{name}" may be any of {", ".join(found)}')
        if found:
            return found[0]
    return None


def check_workloads(results, wanted):
    known = list(dict.fromkeys(name for result in results for name in result.workload_names()))
    for name in wanted:
        if name not in known:
            raise InputError("--workload: " + unknown_name("workload", name, known))


def kept_rows(result, results, options):
    """The rows of the file that --point and --where leave."""
    rows = result.rows
    for name, value in options.where:
        pointer = pointer_named(name, results)
        if pointer is None:
            raise InputError("--where: " + unknown_name("axis", name, pointers_of(results)))
        axis = next((axis for axis in result.axes if axis.pointer == pointer), None)
        if axis is not None:
            rows = rows[[_is_value(text, value) for text in rows[axis.column]]]
    if options.points:
        missing = sorted(set(options.points) - set(result.rows["point"]))
        if missing:
            raise InputError(f"--point {missing[0]}: {result.path} has points 0 to "
                             f"{result.rows['point'].max()}")
        rows = rows[rows["point"].isin(options.points)]
    if rows.empty:
        raise InputError(f"{result.path}: no run is left by --where "
                         + " ".join(f"{name}={value}" for name, value in options.where))
    return rows


def _is_value(text, wanted):
    number, wanted_number = labels.number_of(text), labels.number_of(wanted)
    if number is not None and wanted_number is not None:
        return number == wanted_number
    return wanted in (text, labels.of_value(text), labels.of_values([text])[text])


def metric_named(name, table):
    """The column that the user means: `slo_attainment`, `total.latency_ms.p99`,
    `/total/latency_ms/p99`, `gpus.used`."""
    column = name.strip("/").replace("/", ".")
    column = column[len("total."):] if column.startswith("total.") else column
    known = [key for key in table if key not in NOT_METRICS and not key.startswith("axis:")]
    if column not in known:
        raise InputError(unknown_name("metric", column, sorted(known)))
    return column


def runs_table(results, options, per_workload=False):
    """One row per run of all files, or per run and workload: `file`, `label`, `point`,
    `replication`, `workload`, `axis:POINTER` (JSON texts), and the metrics without "total."; failed
    runs are left out."""
    check_workloads(results, options.workloads)
    tables = []
    for number, result in enumerate(results):
        rows = kept_rows(result, results, options)
        runs = rows.drop(columns=[key for key in rows if key.startswith(("total.", "axis."))])
        for axis in result.axes:
            runs["axis:" + axis.pointer] = rows[axis.column]
        if per_workload or options.workloads:
            table = result.workloads.merge(runs, left_on="row", right_index=True)
            table = table.rename(columns={"name": WORKLOAD})
            if options.workloads:
                table = table[table[WORKLOAD].isin(options.workloads)]
        else:
            totals = rows[[key for key in rows if key.startswith("total.")]]
            table = runs.join(totals.rename(columns=lambda key: key[len("total."):]))
            table.insert(0, WORKLOAD, "total")
        table = table[table["offered"].notna()]
        table.insert(0, "offered_rps", table["offered"] / table["measured_s"])
        table.insert(0, "label", result.label)
        table.insert(0, "file", number)
        tables.append(table)
    table = pandas.concat(tables, ignore_index=True)
    if table.empty:
        raise InputError(f"{results[0].path}: every run that was asked for failed")
    return table


def lines_by(results, options, x_pointer, table):
    """The columns whose values make a line of a figure against `x_pointer`, the file's label first:
    all that vary, or those of --by. Raises InputError when something else varies too: a line would
    mix what differs."""
    rest = [pointer for pointer in varying(results)
            if pointer != x_pointer and table["axis:" + pointer].nunique(dropna=False) > 1]
    chosen = []
    for name in options.by:
        pointer = WORKLOAD if name == WORKLOAD else pointer_named(name, results)
        if pointer is None:
            raise InputError("--by: " + unknown_name("axis", name, pointers_of(results) + [WORKLOAD]))
        chosen.append(pointer)
    for pointer in rest if options.by else ():
        if pointer not in chosen:
            raise InputError(f"{pointer} has several values too: name it in --by, or choose one with "
                             f"--where {pointer}=VALUE")
    if not options.by:
        chosen = rest
    columns = ["axis:" + pointer if pointer != WORKLOAD else WORKLOAD for pointer in chosen]
    if WORKLOAD not in columns and table[WORKLOAD].nunique() > 1:
        columns.append(WORKLOAD)
    return (["label"] if table["label"].nunique() > 1 else []) + columns


def line_names(columns, keys):
    """The name of each line in the legend: the values of its columns. `keys` has a tuple per line;
    a file that lacks an axis has no text there."""
    names = [[] for _ in keys]
    for k, column in enumerate(columns):
        is_axis = column.startswith("axis:")
        texts = [key[k] for key in keys if isinstance(key[k], str)]
        shown = labels.of_values(dict.fromkeys(texts)) if is_axis else {text: text for text in texts}
        for name, key in zip(names, keys):
            if not isinstance(key[k], str):
                continue
            is_number = is_axis and labels.number_of(key[k]) is not None
            name.append((labels.short_of_axis(column[5:]) + " " if is_number else "")
                        + shown[key[k]])
    return [", ".join(name) for name in names]


def grouped(table, columns):
    """(key, rows) for each combination of values of the columns, in order of appearance; a key is
    always a tuple."""
    if not columns:
        return [((), table)]
    if len(columns) == 1:
        return [((key,), rows) for key, rows in table.groupby(columns[0], sort=False, dropna=False)]
    return list(table.groupby(columns, sort=False, dropna=False))
