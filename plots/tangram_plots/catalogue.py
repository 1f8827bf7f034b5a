"""The figures by name. Names and summaries are in figures.json, which `tangram describe figures`
prints too."""
import json
import os

from tangram_plots.figures import bars, capacity, distribution, load, partition_map, timeline

DRAW = {
    "latency_cdf": distribution.cdf, "latency_ccdf": distribution.ccdf,
    "load_latency": load.latency, "load_attainment": load.attainment, "load_goodput": load.goodput,
    "load_curve": load.curve,
    "capacity": capacity.draw, "workload_bars": bars.draw, "partition_map": partition_map.draw,
    "gantt": timeline.gantt, "timeline_rate": timeline.rate,
}


def summaries():
    """{name: summary} in the order of figures.json."""
    path = os.path.join(os.path.dirname(__file__), "figures.json")
    with open(path, encoding="utf-8") as file:
        return {figure["name"]: figure["summary"] for figure in json.load(file)}
