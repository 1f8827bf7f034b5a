"""A result as one HTML page: tables, the figures that fit it, notes, and where it comes from."""
import html
import json
import math
import re

from tangram_plots import catalogue, labels, selection, style
from tangram_plots.errors import InputError
from tangram_plots.statistics import interval

MOST_POINTS = 200  # rows of the table of a sweep's points

COLUMNS = ("offered", "slo_attainment", "good_rate_rps", "latency_ms.mean", "latency_ms.p50",
           "latency_ms.p99", "batch_mean", "dropped")
HEADINGS = {"offered": "Offered", "slo_attainment": "Attained (%)", "good_rate_rps": "Good /s",
            "latency_ms.mean": "Mean (ms)", "latency_ms.p50": "p50 (ms)",
            "latency_ms.p99": "p99 (ms)", "batch_mean": "Batch", "dropped": "Dropped"}

# Which figures a page has, with their captions; those that the file lacks the data for are left out.
FIGURES_OF = {
    "run": (("workload_bars", "SLO attainment by workload"),
            ("latency_cdf", "Distribution of the latency"),
            ("latency_ccdf", "Tail of the latency"),
            ("partition_map", "Partitions and what runs there"),
            ("gantt", "Batches on the executors, first batches after the warm-up"),
            ("timeline_rate", "Requests answered over time")),
    "sweep": (("capacity", "Largest value that met the target"),
              ("load_attainment", "SLO attainment"), ("load_latency", "99th percentile latency"),
              ("load_goodput", "Requests within their SLO per second")),
}

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 62em; margin: 2em auto;
       padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block;
        overflow-x: auto; }
th, td { padding: 0.2em 0.6em; text-align: right; white-space: nowrap; }
th { border-bottom: 1px solid #888; font-weight: 600; }
th:first-child, td:first-child { text-align: left; }
tr.total td { border-top: 1px solid #888; font-weight: 600; }
figure { display: inline-block; margin: 1em 1em 0 0; vertical-align: top; }
figcaption { font-size: 0.9em; color: #555; }
svg { max-width: 100%; height: auto; }
pre { background: #f6f6f6; padding: 0.8em; overflow-x: auto; font-size: 12px; }
.interval { color: #777; font-size: 0.85em; }
"""


def page(result):
    """The whole page; it needs no other file."""
    title = _title(result)
    tables = _run_tables(result) if result.kind == "run" else _sweep_tables(result)
    parts = [f"<h1>{html.escape(title)}</h1>", _provenance(result), *tables, _figures(result),
             _notes(result), _sources(result)]
    return ("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
            + "\n".join(part for part in parts if part) + "\n</body>\n</html>\n")


def _title(result):
    name = result.attributes.get("name") or result.scenario.get("name") or result.label
    return name if result.kind == "run" else f"Sweep of {name}"


def _table(heading, head, rows):
    """Rows of cells that are HTML already; the row class "total" for those that start with it."""
    text = f"<h2>{html.escape(heading)}</h2>\n<table>\n<thead><tr>"
    text += "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr></thead>\n<tbody>\n"
    for kind, cells in rows:
        text += f"<tr{' class=' + chr(34) + kind + chr(34) if kind else ''}>"
        text += "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"
    return text + "</tbody>\n</table>"


def _number(value):
    """About four digits."""
    if value is None or math.isnan(value):
        return "none"
    decimals = 0 if abs(value) >= 1000 or value == int(value) else 1 if abs(value) >= 100 else 2
    return f"{value:.{decimals}f}"


def _cell(values, metric):
    """The mean and, of several replications, the half width of its interval."""
    scale = 100 if labels.in_percent(metric) else 1
    mean, half_width = interval(values * scale)
    if scale == 100:
        # Never rounds up to 100: a single bad request must show.
        text = f"{math.floor(mean * 100 + 1e-7) / 100:.2f}"
    else:
        text = _number(mean)
    if not math.isnan(half_width):
        text += f" <span class=\"interval\">&plusmn; {_number(half_width)}</span>"
    return text


def _metrics(rows):
    return [_cell(rows[metric], metric) for metric in COLUMNS]


def _run_tables(result):
    head = ["Workload", "SLO (ms)"] + [HEADINGS[metric] for metric in COLUMNS]
    rows = []
    table = selection.runs_table([result], selection.Options(), per_workload=True)
    for (name,), runs in selection.grouped(table, [selection.WORKLOAD]):
        rows.append(("", [html.escape(name), _number(runs["slo_ms"].iloc[0])] + _metrics(runs)))
    total = selection.runs_table([result], selection.Options())
    rows.append(("total", ["total", ""] + _metrics(total)))
    gpu_rows = []
    for (index, kind, mode), runs in selection.grouped(result.table("gpus"),
                                                       ["index", "type", "mode"]):
        gpu_rows.append(("", [str(index), html.escape(kind), html.escape(mode),
                              _cell(runs["busy_fraction"], "busy_fraction")]))
    tables = [_table("Workloads", head, rows),
              _table("GPUs", ["GPU", "Type", "Mode", "Busy (%)"], gpu_rows)]
    unserved = (result.plan or {}).get("unserved", [])
    if unserved:
        tables.append(_table("Unserved", ["Workload", "Requests/s", "Reason"],
                             [("", [html.escape(one["workload"]), _number(one["rate_rps"]),
                                    html.escape(one["reason"])]) for one in unserved]))
    return tables


def _sweep_tables(result):
    tables = []
    if result.has("search"):
        tables.append(_search_table(result))
    axes = [axis.pointer for axis in result.axes]
    head = ["Point"] + axes + ["Runs"] + [HEADINGS[metric] for metric in COLUMNS]
    try:
        table = selection.runs_table([result], selection.Options())
    except InputError:  # every run failed: only the errors are left to show
        return tables + [_error_table(result)]
    groups = selection.grouped(table, ["point"] + ["axis:" + pointer for pointer in axes])
    rows = [("", [str(key[0])] + [html.escape(labels.of_value(text)) for text in key[1:]]
             + [str(len(runs))] + _metrics(runs)) for key, runs in groups[:MOST_POINTS]]
    left = len(groups) - len(rows)
    tables.append(_table("Points" + (f" (the first {len(rows)}; {left} more)" if left else ""),
                         head, rows))
    return tables + ([_error_table(result)] if result.has("errors") else [])


def _search_table(result):
    table = result.table("search")
    axes = result.axes[:-1]
    rows = []
    for _, row in table.iterrows():
        rows.append(("", [html.escape(labels.of_value(row[axis.column + ".text"])) for axis in axes]
                     + [_number(row["highest_pass"]), _number(row["first_fail"]),
                        "yes" if row["monotone"] else "no", str(row["evaluations"])]))
    head = [axis.pointer for axis in axes] + ["Highest that passed", "First that failed", "Monotone",
                                              "Values tried"]
    return _table(f"Search of {result.axes[-1].pointer}", head, rows)


def _error_table(result):
    rows = [("", [str(row["point"]), html.escape(row["message"])])
            for _, row in result.table("errors").iterrows()]
    return _table("Runs that failed", ["Run", "Error"], rows)


def _figures(result):
    parts = []
    for number, (name, caption) in enumerate(FIGURES_OF[result.kind]):
        if name in ("gantt", "timeline_rate") and not result.has("timeline"):
            continue
        if name == "capacity" and not result.has("search"):
            continue
        wide = name in ("partition_map", "gantt", "timeline_rate")
        options = selection.Options(width="page" if wide else "column")
        try:
            figure = catalogue.DRAW[name]([result], options)
        except InputError as error:  # such as more lines than a figure can hold
            parts.append(f"<p>{html.escape(caption)}: {html.escape(str(error))}</p>")
            continue
        parts.append(f"<figure>{_inline_svg(figure, f'f{number}-')}<figcaption>{html.escape(caption)}"
                     f" <code>--figure {name}</code></figcaption></figure>")
    return "<h2>Figures</h2>\n" + "\n".join(parts) if parts else ""


def _inline_svg(figure, prefix):
    """The figure as an element of the page; ids are made unique among the figures of the page."""
    text = style.rendered(figure, "svg").decode("utf-8")
    text = text[text.index("<svg"):]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{prefix}', text)
    text = re.sub(r'href="#', f'href="#{prefix}', text)
    return re.sub(r"url\(#", f"url(#{prefix}", text)


def _provenance(result):
    attributes = result.attributes
    seeds = sorted(set(int(seed) for seed in result.rows["seed"]))
    entries = [("Planner", attributes.get("planner")), ("Routing", attributes.get("routing")),
               ("Dispatcher", attributes.get("dispatcher")), ("Device", attributes.get("device")),
               ("Runtime", attributes.get("runtime")), ("Runs", str(len(result.rows))),
               ("Seed", ", ".join(map(str, seeds))),
               ("Made by", f"tangram {attributes.get('version', '')}, commit "
                           f"{attributes.get('git_hash', '')}")]
    shards = attributes.get("shards")
    if shards is not None and shards > 1:
        entries.append(("Part", f"shard {attributes['shard']} of {shards}"))
    text = "".join(f"<tr><td>{name}</td><td style=\"text-align:left\">{html.escape(value)}</td></tr>\n"
                   for name, value in entries if value)
    return f"<table>\n{text}</table>"


def _notes(result):
    notes = "".join(f"<li>{html.escape(note)}</li>\n" for note in result.notes)
    interval_note = ""
    if len(result.rows) > result.rows["point"].nunique():
        interval_note = ("<p>&plusmn; and error bars: 95 % confidence intervals of the mean over the "
                         "replications (Student's t).</p>")
    return (f"<h2>Notes</h2>\n<ul>\n{notes}</ul>" if notes else "") + interval_note


def _sources(result):
    parts = []
    if result.sweep_text:
        parts.append(("Sweep", result.sweep_text))
    parts.append(("Scenario", result.scenario_text))
    if result.plan is not None:
        parts.append(("Plan", json.dumps(result.plan, indent=2)))
    return "\n".join(f"<details><summary>{name}</summary><pre>{html.escape(text)}</pre></details>"
                     for name, text in parts)
