"""Names with units for axes of a sweep, their values, and metrics."""
import json
import re

UNITS = {"rps": "requests/s", "ms": "ms", "us": "us", "ns": "ns", "s": "s", "gib": "GiB", "pct": "%",
         "w": "W"}

STATISTICS = {"p50": "Median", "p90": "90th percentile", "p95": "95th percentile",
              "p99": "99th percentile", "p999": "99.9th percentile", "mean": "Mean", "max": "Maximum"}

# Metrics whose key alone would not tell a reader of a paper what is drawn.
METRICS = {
    "slo_attainment": "SLO attainment (%)",
    "good_rate_rps": "Goodput (requests/s)",
    "throughput_rps": "Throughput (requests/s)",
    "offered_rps": "Offered load (requests/s)",
    "batch_mean": "Mean batch (requests)",
    "busy_fraction": "GPU time busy (%)",
    "gpus.busy_fraction": "GPU time busy (%)",
    "gpus.used": "GPUs used",
    "gpus.slices": "MIG slices used",
    "fairness": "Jain's fairness index",
    "latency_cov": "Latency, std. dev. / mean",
    "latency_p99_over_p50": "p99 / median latency",
    "slowdown": "Slowdown against alone",
    "offered": "Offered requests",
    "completed": "Completed requests",
    "dropped": "Dropped requests",
    "late": "Late requests",
    "unfinished": "Unfinished requests",
}
QUANTITIES = {"latency": "latency", "wait": "waiting time", "exec": "execution time"}
PARTS = {"batch_wait": "wait for the batch", "queue": "wait for the executor",
         "execution": "execution alone", "interference": "interference"}


def in_percent(metric):
    """Whether the metric is a fraction that is drawn in percent."""
    return METRICS.get(metric, "").endswith("(%)")


def of_metric(metric):
    """What stands at the axis on which a metric is drawn."""
    if metric in METRICS:
        return METRICS[metric]
    quantity, _, statistic = metric.rpartition(".")
    if quantity.endswith("_ms") and quantity[:-3] in QUANTITIES:
        return f"{STATISTICS.get(statistic, statistic)} {QUANTITIES[quantity[:-3]]} (ms)"
    if quantity == "parts_ms":
        return f"Mean {PARTS.get(statistic, statistic)} (ms)"
    return _with_unit(metric.replace(".", " "))


def _with_unit(name):
    stem, _, suffix = name.rpartition("_")
    if stem and suffix in UNITS:
        return f"{stem.replace('_', ' ')} ({UNITS[suffix]})"
    return name.replace("_", " ")


def of_axis(pointer, scenario):
    """What stands at the axis of a figure for a JSON pointer: the last key with its unit, and whose
    it is when the scenario has several workloads."""
    keys = pointer.strip("/").split("/")
    name = {"rate_rps": "Arrival rate (requests/s)", "count": "Number of GPUs",
            "load": "Load (factor on all rates)"}.get(keys[-1])
    if name is None:
        # /dispatcher/name: the dispatcher; /a/0: the whole entry.
        last = keys[-2] if keys[-1] == "name" and len(keys) > 1 else keys[-1]
        name = _with_unit(last)
        name = name[:1].upper() + name[1:]
    workloads = scenario.get("workloads") if isinstance(scenario, dict) else None
    if keys[0] == "workloads" and len(keys) > 1 and isinstance(workloads, list) and len(workloads) > 1:
        if keys[1].isdigit() and int(keys[1]) < len(workloads):
            workload = workloads[int(keys[1])]
            owner = workload.get("name", workload.get("model", workload.get("application", "")))
            if owner:
                return f"{owner}: {name[:1].lower() + name[1:]}"
    return name


def _parsed(text):
    """The value of the JSON; what is no JSON is a string."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_policy(value):
    """Whether it is {"name": ..., "params": ...}."""
    return isinstance(value, dict) and isinstance(value.get("name"), str)


def of_value(text):
    """A value of an axis, given as JSON, in few words."""
    value = _parsed(text)
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return f"{value:.6g}"
    if _is_policy(value):
        params = value.get("params") or {}
        inner = ", ".join(f"{key} {of_value(json.dumps(item))}" for key, item in params.items())
        return value["name"] + (f" ({inner})" if inner else "")
    return re.sub(r'["{}]', "", json.dumps(value))


def of_values(texts):
    """{text: name} for the values of one axis; parameters only where the names alone are not unique."""
    names = {}
    for text in texts:
        value = _parsed(text)
        names[text] = value["name"] if _is_policy(value) else of_value(text)
    unique = len(set(names.values())) == len(names)
    return names if unique else {text: of_value(text) for text in names}


def short_of_axis(pointer):
    """The name of an axis in a legend, without unit."""
    keys = pointer.strip("/").split("/")
    if keys[0] == "cluster" and keys[-1] == "count":
        return "GPUs"
    last = keys[-2] if keys[-1] == "name" and len(keys) > 1 else keys[-1]
    stem, _, suffix = last.rpartition("_")
    return (stem if stem and suffix in UNITS else last).replace("_", " ")


def number_of(text):
    """The number that the JSON text is, or None."""
    value = _parsed(text)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
