#!/usr/bin/env python3
"""What the simulator costs beside the hand-written loop, both on this machine and in turns.

For M/M/1, M/M/8 and batching: the whole process `tangram run` (policy, Host, device, every metric)
against bench/limits with the same number of requests, as pairs one after the other, in CPU time.
A machine whose speed drifts slows both of a pair, so that the ratio means more than either. `best`
is the ratio of the two shortest times: other work on the machine only ever adds.

    bench/beside_the_limit.py [BUILD] [--pairs 40] [--requests 5e6]

BUILD is build/release by default. The bounds are those set for the project, 55, 55 and 22 ns a
request where the hand-written loops took 19.5, 24.2 and 5.73 (docs/model/speed.md), as ratios.
"""
import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import tempfile

# name: (bound on the ratio, dispatcher, GPUs, requests/s, latency, variability)
MODELS = {
    "mm1": (55 / 19.5, "fifo", 1, 800, (1, 0, 1), "exponential"),
    "mm8": (55 / 24.2, "fifo", 8, 6400, (1, 0, 1), "exponential"),
    "batching": (22 / 5.73, "eager", 1, 2560, (2, 0.25, 32), "none"),
}


def scenario(dispatcher, gpus, rate, latency, variability, requests):
    fixed, per_item, largest = latency
    return {
        "schema": 1,
        "duration_s": requests / rate,
        "profiles": [{"model": "unit", "gpu": "ideal",
                      "latency": {"fixed_ms": fixed, "per_item_ms": per_item, "max_batch": largest},
                      "variability": {"kind": variability}}],
        "cluster": {"gpus": [{"type": "ideal", "count": gpus}]},
        "workloads": [{"model": "unit", "slo_ms": 100,
                       "arrivals": {"process": "poisson", "rate_rps": rate}}],
        "dispatcher": {"name": dispatcher},
    }


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default="build/release", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--requests", type=float, default=5e6)
    arguments = parser.parse_args()
    tangram, limits = arguments.build / "cli/tangram", arguments.build / "bench/tangram_limits"

    print(f"{'':10} {'limit':>7} {'tangram':>8} ns/request   ratio, quartiles      best  bound")
    with tempfile.TemporaryDirectory() as folder:
        for name, (bound, *model) in MODELS.items():
            file = pathlib.Path(folder) / f"{name}.json"
            file.write_text(json.dumps(scenario(*model, arguments.requests)))
            pairs = []
            for _ in range(arguments.pairs + 1):
                limit = cpu_seconds([limits, name, str(int(arguments.requests))])
                ours = cpu_seconds([tangram, "run", file])
                pairs.append((limit, ours))
            del pairs[0]  # warms the caches
            unit = 1e9 / arguments.requests
            best = min(ours for _, ours in pairs) / min(limit for limit, _ in pairs)
            low, middle, high = statistics.quantiles([ours / limit for limit, ours in pairs], n=4)
            print(f"{name:10} {unit * statistics.median(p[0] for p in pairs):7.1f} "
                  f"{unit * statistics.median(p[1] for p in pairs):8.1f}              "
                  f"{middle:5.2f}  {low:5.2f} - {high:5.2f}  {best:5.2f}  {bound:5.2f}")


if __name__ == "__main__":
    main()
