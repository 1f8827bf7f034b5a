"""What the executors did when: batches as boxes, and the rate at which requests were served."""
import numpy
from matplotlib.collections import PolyCollection

from tangram_plots import selection, style
from tangram_plots.errors import InputError

ROW_INCHES = 0.22
MOST_ROWS = 48
BATCHES_SHOWN = 24  # of the busiest executor, when the user gives no window
RATE_BINS = 50


def gantt(results, options):
    result, table = _timeline(results, options, "gantt")
    begin, end = _window(result, table, options)
    shown = table[(table["end_s"] > begin) & (table["start_s"] < end)]
    if shown.empty:
        raise InputError(f"no batch runs from {begin:g} s to {end:g} s; the file has batches from "
                         f"{table['start_s'].min():g} s to {table['end_s'].max():g} s")
    used = sorted(shown["executor"].unique())
    if len(used) > MOST_ROWS:
        raise InputError(f"{len(used)} executors are more than a page shows; at most {MOST_ROWS}: "
                         "choose a shorter window with --from and --to, or a --workload")
    # All of them, so that a workload has the same colour in every window and figure.
    names = result.workload_names()
    figure, axes = style.new_figure(options.width, 0.6 + ROW_INCHES * max(len(used), 3))
    axes.set_xlim(begin, end)
    axes.set_ylim(len(used) - 0.4, -0.6)
    axes.set_yticks(range(len(used)), _short_names(result.executors, used))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("Time (s)")
    # Offsets such as "+1.05e1" save no room that matters.
    axes.ticklabel_format(axis="x", useOffset=False)
    if options.title:
        axes.set_title(options.title)
    boxes = {name: _draw_boxes(axes, shown[shown["name"] == name], used, i)
             for i, name in enumerate(names) if name in set(shown["name"])}
    style.legend_above(figure, list(boxes.values()), list(boxes))
    figure.draw_without_rendering()
    _write_sizes(axes, shown, used, names, begin, end)
    return figure


def _short_names(executors, used):
    """"gpu 0 / mig 3 #0 / process 1" in few letters; the process only where there are several."""
    places = [name.rpartition(" / process ") for name in executors]
    partitions = [partition for partition, _, _ in places]
    names = []
    for executor in used:
        partition, _, process = places[executor]
        name = partition.replace("gpu ", "GPU ", 1).replace("whole #0", "").rstrip(" /")
        several = partitions.count(partition) > 1
        names.append((name.replace(" / ", ", ") or process) + (f", p{process}" if several else ""))
    return names


def _timeline(results, options, figure):
    """/timeline of the file: `start_s`, `end_s`, `batch`, `executor`, `name`, of one replication."""
    result = selection.one_result(results, figure)
    if not result.has("timeline"):
        raise InputError(f"{result.path}: has no /timeline: run the scenario with --timeline, or with "
                         "--set /outputs/timeline=true")
    selection.check_workloads(results, options.workloads)
    table = result.table("timeline")
    table = table[table["point"] == 0]
    first = result.workloads[result.workloads["row"] == 0]
    table = table.assign(start_s=table["start_ns"] / 1e9, end_s=table["end_ns"] / 1e9,
                         name=table["workload"].map(dict(zip(first["number"], first["name"]))))
    # A batch that was never started has -1.
    table = table[table["start_ns"] >= 0]
    if options.workloads:
        table = table[table["name"].isin(options.workloads)]
    return result, table


def _window(result, table, options):
    begin = options.start_s
    if begin is None:
        begin = float(result.scenario.get("warmup_s") or 0)
    end = options.end_s
    if end is None:
        later = table[table["start_s"] >= begin]
        busiest = later["executor"].mode()
        starts = later[later["executor"] == busiest.iloc[0]]["start_s"].sort_values() \
            if len(busiest) else []
        end = float(starts.iloc[min(BATCHES_SHOWN, len(starts) - 1)]) if len(starts) else begin
        end = end if end > begin else float(table["end_s"].max())
    if not end > begin:
        raise InputError(f"--to {end:g}: must be after --from {begin:g}")
    return begin, end


def _draw_boxes(axes, batches, rows, i):
    row = {executor: y for y, executor in enumerate(rows)}
    boxes = [[(start, row[executor] - 0.36), (end, row[executor] - 0.36),
              (end, row[executor] + 0.36), (start, row[executor] + 0.36)]
             for start, end, executor in zip(batches["start_s"], batches["end_s"],
                                             batches["executor"])]
    look = style.fill_style(i)
    return axes.add_collection(PolyCollection(
        boxes, facecolors=look["facecolor"], hatch=look["hatch"], edgecolors="white",
        linewidths=0.3))


def _write_sizes(axes, batches, rows, names, begin, end):
    """The size of each batch in its box, where all the digits fit."""
    inches = axes.get_window_extent().width / axes.figure.dpi
    for start, stop, executor, size, name in zip(*(batches[key] for key in (
            "start_s", "end_s", "executor", "batch", "name"))):
        left, right = max(start, begin), min(stop, end)
        if (right - left) / (end - begin) * inches < 0.06 * len(str(size)) + 0.05:
            continue
        i = names.index(name)
        axes.text((left + right) / 2, rows.index(executor), str(size), ha="center", va="center",
                  fontsize=5.5, color=style.text_on(i),
                  bbox={"facecolor": style.COLOURS[i % len(style.COLOURS)], "edgecolor": "none",
                        "pad": 0.5})


def rate(results, options):
    """Requests answered per second, by workload, over the run."""
    result, table = _timeline(results, options, "timeline_rate")
    begin = options.start_s or 0.0
    end = options.end_s or float(table["end_s"].max())
    if not end > begin:
        raise InputError(f"--to {end:g}: must be after --from {begin:g}")
    edges = numpy.linspace(begin, end, RATE_BINS + 1)
    figure, axes = style.new_figure(options.width)
    lines = {}
    for i, name in enumerate(result.workload_names()):
        own = table[table["name"] == name]
        if own.empty:
            continue
        served, _ = numpy.histogram(own["end_s"], bins=edges, weights=own["batch"])
        look = style.line_style(i)
        lines[name] = axes.plot((edges[:-1] + edges[1:]) / 2, served / (edges[1] - edges[0]),
                                markevery=(5 * i % 10, 10), linewidth=0.9, **look)[0]
    axes.set_xlim(begin, end)
    axes.set_ylim(bottom=None if options.log_y else 0)
    axes.set_xlabel("Time (s)")
    axes.set_ylabel("Answered (requests/s)")
    if options.log_y:
        axes.set_yscale("log")
        style.logarithmic(axes.yaxis)
    if options.title:
        axes.set_title(options.title)
    style.legend_above(figure, list(lines.values()), list(lines))
    return figure
