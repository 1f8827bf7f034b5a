#!/usr/bin/env python3
"""The figures of Paella (Ng et al., SOSP 2023) on the block device model: data, table and figure.

Usage: run.py fig2|fig11|fig12|fig13|gv100|fit [--out DIR] [--tangram COMMAND] [--every N] [--draw]
Needs `tangram`; figures also need matplotlib, gv100 and fit the published rows ($TANGRAM_REFERENCE_DATA).
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from arrivals import JOBS, MIX, PAIR, replay
from models import kernels

HERE = pathlib.Path(__file__).resolve().parent
LOADS = [1000, 1053, 1111, 1176, 1250, 1333, 1429, 1538, 1667, 1818, 2000, 2222, 2500, 2857, 3333, 4000, 5000,
         6667, 10000, 20000, 40000, 80000, 160000]  # mean gap, us
PAIR_LOADS = [1818, 2000, 2222, 2500, 2857, 3333, 4000, 5000, 6667, 10000, 20000, 40000]
FAIRNESS = [0.01, 0.1, 1, *range(10, 101, 10), *range(200, 1001, 100), 1e4, 1e5]
SYSTEMS = {
    "Paella": {"name": "paella"},
    "Paella-SS": {"name": "streams_single"},
    "Paella-MS-jbj": {"name": "streams_job"},
    "Paella-MS-kbk": {"name": "streams_kernel"},
    "CUDA-MS (as run)": {"name": "cuda_multistream"},
    "CUDA-MS (as meant)": {"name": "cuda_multistream", "params": {"ideal": True}},
    "MPS": {"name": "mps_clients"},
}
# When the last request comes, in mean gaps (arrivals.py).
LAST = {2: replay(MIX, 2)[-1][1], 1.5: replay(MIX, 1.5)[-1][1]}
SMS, PER_SM = 80, 8  # of the GV100 and its kernels here (models.py): 64 registers a thread
# What the artifact copies for a request, and its 32 hardware queues. Convolutions that keep their tiles
# in registers have independent instructions enough for one warp to fill a scheduler: an SM has four.
DEVICE = {"model": "blocks",
          "blocks": {"queues": 32, "input_bytes": 602112, "output_bytes": 4000, "contention": "roofline",
                     "saturating_warps": 4}}


def isolated():
    """Kernel time of each model alone, us: fitted by `run.py fit`."""
    return json.loads((HERE / "isolated.json").read_text())["kernel_time_us"]


def scenario(mix, gap_us, sigma, folder, stages, times=None, device=None):
    """Writes the traces once, and returns the scenario of one load (gap 0: all at once)."""
    times = times or isolated()
    traces = folder / f"arrivals-{len(mix)}-sigma{sigma}"
    if not traces.exists():
        traces.mkdir(parents=True)
        arrivals = replay(mix, sigma)
        for model in mix:
            rows = [f"{time:.9f}" for name, time in arrivals if name == model]
            (traces / f"{model}.csv").write_text("timestamp_s\n" + "\n".join(rows) + "\n")
    speed_up = 1e6 / gap_us if gap_us > 0 else 5e8
    # Until just after the last arrival, so that the simulated time ends with the last answer.
    end_s = LAST[sigma] / speed_up * (1 + 1e-6) + 1e-8
    workloads = [{"model": model, "slo_ms": 1000,
                  "arrivals": {"process": "trace", "path": str((traces / f"{model}.csv").resolve()),
                               "format": "timestamps", "speed_up": speed_up}} for model in mix]
    profiles = [{"model": model, "gpu": "gv100", "provenance": "by hand",
                 "latency": {"points": [{"batch": 1, "latency_ms": times[model] / 1e3}]},
                 "kernels": kernels(model, times[model], SMS, PER_SM)} for model in mix]
    return {"schema": 1, "name": "Paella", "duration_s": end_s, "profiles": profiles,
            "cluster": {"gpus": [{"type": "gv100"}]}, "workloads": workloads, "device": device or DEVICE,
            "stages": {**stages, "outstanding": sum(n for _, n in mix.values()),
                       "instances": {model: n for model, (_, n) in mix.items()}}}


class Runner:
    def __init__(self, options):
        self.folder = pathlib.Path(options.out)
        self.every = options.every
        self.format = options.format
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tangram = options.tangram or shutil.which("tangram") or next(
            (str(p) for p in (HERE.parent.parent / "build" / "release").rglob("tangram") if p.is_file()), None)
        if self.tangram is None:
            sys.exit("run.py: no `tangram` command; build it, or give --tangram")

    def run(self, spec, name):
        """Runs one scenario; its summary."""
        path, out = self.folder / f"{name}.json", self.folder / f"{name}.summary.json"
        path.write_text(json.dumps(spec))
        subprocess.run([self.tangram, "run", str(path), "--summary", str(out)], check=True,
                       stdout=subprocess.DEVNULL)
        return json.loads(out.read_text())


def row(summary, mix):
    """(throughput, {model: (mean, p99)} and "all") in ms, as the artifact counts them."""
    values = {name: summary["workloads"][name]["latency_ms"] for name in mix}
    values["all"] = summary["total"]["latency_ms"]
    return JOBS / summary["simulated_s"], {k: (v["mean"], v["p99"]) for k, v in values.items()}


def load_sweep(runner, figure, mix, sigma, systems, loads):
    """Every system at every load, as a CSV of one row each."""
    lines = ["system,gap_us,throughput_rps,workload,mean_ms,p99_ms"]
    for system in systems:
        for gap in loads:
            spec = scenario(mix, gap, sigma, runner.folder, SYSTEMS[system])
            throughput, values = row(runner.run(spec, "point"), mix)
            lines += [f"{system},{gap},{throughput:.2f},{name},{mean:.4f},{p99:.4f}"
                      for name, (mean, p99) in values.items()]
    (runner.folder / f"{figure}.csv").write_text("\n".join(lines) + "\n")


def rows_of(runner, *names):
    """The rows of CSV files that the commands have left in the work folder."""
    for name in names:
        with open(runner.folder / f"{name}.csv", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def plot(runner, name, panels, columns, xlabel, ylabel, log=True):
    """panels: {title: {line: [(x, y)]}}, as NAME.pdf or as --format says."""
    sys.path.insert(0, str(HERE.parent.parent / "plots"))
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from tangram_plots import style
    except ImportError as missing:
        print(f"data only, no figure: {missing}")
        return
    style.apply()
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(style.WIDTHS["page"], 1.9 * rows))
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03)
    names = list(dict.fromkeys(line for lines in panels.values() for line in lines))
    handles = {}
    for i, (title, lines) in enumerate(panels.items()):
        axes = figure.add_subplot(rows, columns, i + 1)
        for line, points in lines.items():
            look = {**style.line_style(names.index(line)), "markersize": 2.5,
                    "markevery": 1 + len(points) // 16}
            handles[line] = axes.plot(*zip(*points), **look)[0]
        axes.set(title=title, xlabel=xlabel if i >= len(panels) - columns else None,
                 ylabel=ylabel if i % columns == 0 else None)
        if log:
            axes.set_yscale("log")
            axes.minorticks_off()
    style.legend_above(figure, [handles[n] for n in names], names)
    path = runner.folder / f"{name}.{runner.format}"
    path.write_bytes(style.rendered(figure, runner.format))
    print(path)


def curves(rows, y):
    """{system: [(throughput, y)]} of a load sweep's rows."""
    lines = {}
    for row in rows:
        lines.setdefault(row["system"], []).append((float(row["throughput_rps"]), float(row[y])))
    return lines


def fig2(runner):
    """Head-of-line blocking: p99 against the load, 8 kernels of one block, 32 queues, two rules."""
    lines = ["queue_release,stages,rate_rps,p99_ms,mean_ms"]
    for release in ("dispatch", "completion"):
        for name in ("streams_job", "streams_kernel", "paella"):
            for rate in (2000, 6000, 10000, 12000, 13000, 14000, 15000, 16000, 20000, 25000, 30000, 35000)[::runner.every]:
                spec = json.loads((HERE / "fig2.json").read_text())
                spec["device"]["blocks"]["queue_release"] = release
                spec["stages"] = {"name": name}
                spec["workloads"][0]["arrivals"]["rate_rps"] = rate
                latency = runner.run(spec, "point")["total"]["latency_ms"]
                lines.append(f"{release},{name},{rate},{latency['p99']:.4f},{latency['mean']:.4f}")
    (runner.folder / "fig2.csv").write_text("\n".join(lines) + "\n")


def draw_fig2(runner):
    panels = {}
    for row in rows_of(runner, "fig2"):
        panel = panels.setdefault(f"queue frees at {row['queue_release']}", {})
        panel.setdefault(row["stages"], []).append((float(row["rate_rps"]), float(row["p99_ms"])))
    plot(runner, "fig2", panels, 2, "jobs/s", "p99 (ms)")


def fig11(runner):
    systems = ["Paella", "Paella-SS", "Paella-MS-jbj", "Paella-MS-kbk", "MPS", "CUDA-MS (as run)"]
    for sigma in (1.5, 2):
        load_sweep(runner, f"fig11-sigma{sigma}", MIX, sigma, systems, LOADS[::runner.every])


def draw_fig11(runner):
    panels = {}
    for what, y, title in (("all", "mean_ms", "all, mean"), ("resnet18", "p99_ms", "ResNet-18, p99"),
                           ("inceptionv3", "mean_ms", "Inception v3, mean")):
        for sigma in (1.5, 2):
            rows = (r for r in rows_of(runner, f"fig11-sigma{sigma}") if r["workload"] == what)
            panels[f"{title}, sigma {sigma}"] = curves(rows, y)
    plot(runner, "fig11", panels, 2, "requests/s", "ms")


def fig12(runner):
    systems = ["Paella", "Paella-MS-jbj", "Paella-MS-kbk", "CUDA-MS (as run)", "CUDA-MS (as meant)", "MPS"]
    load_sweep(runner, "fig12", PAIR, 2, systems, PAIR_LOADS[::runner.every])


def draw_fig12(runner):
    panels = {m: curves((r for r in rows_of(runner, "fig12") if r["workload"] == m), "p99_ms") for m in PAIR}
    plot(runner, "fig12", panels, 2, "requests/s", "p99 (ms)")


def fig13(runner):
    lines = ["fairness,throughput_rps,resnet18_mean_ms,inceptionv3_mean_ms"]
    for threshold in FAIRNESS[::runner.every]:
        spec = scenario(PAIR, 0, 2, runner.folder, {"name": "paella", "params": {"fairness": threshold}})
        throughput, values = row(runner.run(spec, "point"), PAIR)
        lines.append(f"{threshold},{throughput:.2f},{values['resnet18'][0]:.3f},{values['inceptionv3'][0]:.3f}")
    (runner.folder / "fig13.csv").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def draw_fig13(runner):
    rows = [r for r in rows_of(runner, "fig13") if 1 <= float(r["fairness"]) <= 500]
    panel = {m: [(float(r["fairness"]), float(r[f"{m}_mean_ms"])) for r in rows] for m in PAIR}
    plot(runner, "fig13", {"": panel}, 1, "fairness threshold", "mean (ms)", log=False)


def published(name="paella_full_lns2.txt"):
    """{gap: (throughput, {model: (mean, p99)})} of the GV100 rows (XpuOS/xsched-artifacts)."""
    data = os.environ.get("TANGRAM_REFERENCE_DATA")
    if not data:
        sys.exit("run.py: $TANGRAM_REFERENCE_DATA does not say where the published rows are")
    rows = {}
    for line in (pathlib.Path(data) / "paella-gv100" / name).read_text().split():
        v = [float(x) for x in line.split(",")]
        values = {m: (v[3 + 7 * k] / 1e3, v[3 + 7 * k + 4] / 1e3) for k, m in enumerate(["all", *MIX])}
        rows[int(v[0])] = v[1] / v[2] * 1e6, values
    return rows


def fit(runner):
    """Kernel times with which the model's means at the lowest load are the published ones."""
    goal = published()[LOADS[-1]][1]
    times = {m: 0.9e3 * goal[m][0] for m in MIX}
    for _ in range(4):
        spec = scenario(MIX, LOADS[-1], 2, runner.folder, SYSTEMS["Paella"], times)
        got = row(runner.run(spec, "point"), MIX)[1]
        times = {m: max(50, times[m] + 1e3 * (goal[m][0] - got[m][0])) for m in MIX}
        print({m: round(got[m][0] / goal[m][0] - 1, 4) for m in MIX})
    text = {"source": "fitted to the means at 6.7 requests/s of Paella on a GV100 (XpuOS/xsched-artifacts)",
            "kernel_time_us": {m: round(t, 2) for m, t in times.items()}}
    (HERE / "isolated.json").write_text(json.dumps(text, indent=1) + "\n")


def gv100(runner):
    """Simulated against published: errors of mean and p99 per model, over the 23 loads."""
    rows = published()
    errors = {m: ([], []) for m in ["all", *MIX]}
    lines = ["gap_us,throughput_rps,published_rps,workload,mean_ms,published_mean_ms,p99_ms,published_p99_ms"]
    for gap in LOADS:
        spec = scenario(MIX, gap, 2, runner.folder, SYSTEMS["Paella"])
        throughput, values = row(runner.run(spec, "point"), MIX)
        for model, (mean, p99) in values.items():
            there = rows[gap][1][model]
            lines.append(f"{gap},{throughput:.1f},{rows[gap][0]:.1f},{model},{mean:.3f},{there[0]:.3f},"
                         f"{p99:.3f},{there[1]:.3f}")
            if gap < LOADS[-1]:
                errors[model][0].append((gap, mean / there[0] - 1))
                errors[model][1].append((gap, p99 / there[1] - 1))
    (runner.folder / "gv100.csv").write_text("\n".join(lines) + "\n")

    def median(part, low=0):
        return 100 * statistics.median(abs(e) for gap, e in part if gap >= low)

    def bias(part, low=0):
        return 100 * statistics.median(e for gap, e in part if gap >= low)

    print("| model | mean, all loads | below 700/s | signed | p99, all loads | below 700/s | signed |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for model, (means, tails) in errors.items():
        print(f"| {model} | {median(means):.1f} % | {median(means, 1538):.1f} % | {bias(means):+.1f} % | "
              f"{median(tails):.1f} % | {median(tails, 1538):.1f} % | {bias(tails):+.1f} % |")
    every = [sum((errors[m][i] for m in MIX), []) for i in (0, 1)]
    print(f"| models together | {median(every[0]):.1f} % | {median(every[0], 1538):.1f} % | {bias(every[0]):+.1f} % | "
          f"{median(every[1]):.1f} % | {median(every[1], 1538):.1f} % | {bias(every[1]):+.1f} % |")


def main():
    figures = {f.__name__: f for f in (fig2, fig11, fig12, fig13, gv100, fit)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figure", choices=figures)
    parser.add_argument("--out", default="paella-out")
    parser.add_argument("--tangram")
    parser.add_argument("--every", type=int, default=1, help="only every N-th load or threshold: a quick look")
    parser.add_argument("--format", choices=("pdf", "svg", "png"), default="pdf")
    parser.add_argument("--draw", action="store_true", help="only the figure, from the data in DIR")
    options = parser.parse_args()
    runner = Runner(options)
    if not options.draw:
        figures[options.figure](runner)
    draw = globals().get(f"draw_{options.figure}")
    if draw is not None:
        draw(runner)


if __name__ == "__main__":
    main()
