#!/usr/bin/env python3
"""Writes a large scenario: MODELS workloads with Zipf (0.9) popularity on GPUS whole GPUs.

    make_cluster.py [--gpus 10000] [--models 1000] [--rate 1e6] [--seconds 60] > cluster.json

Every model has the cost l(b) = 5.072 + 1.053 b ms, the ResNet-50-like figures of Symphony's emulators.
"""
import argparse
import json
import sys

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--gpus", type=int, default=10000)
parser.add_argument("--models", type=int, default=1000)
parser.add_argument("--rate", type=float, default=1e6, help="requests per second over all models")
parser.add_argument("--seconds", type=float, default=60)
parser.add_argument("--dispatcher", default="eager")
options = parser.parse_args()

weights = [(rank + 1) ** -0.9 for rank in range(options.models)]
total = sum(weights)
scenario = {
    "schema": 1,
    "name": f"{options.gpus} GPUs, {options.models} models, {options.rate:g} requests/s",
    "duration_s": options.seconds,
    "profiles": [
        {
            "model": f"model{rank}",
            "gpu": "ideal",
            "latency": {"fixed_ms": 5.072, "per_item_ms": 1.053, "max_batch": 64},
        }
        for rank in range(options.models)
    ],
    "cluster": {"gpus": [{"type": "ideal", "count": options.gpus}]},
    "workloads": [
        {
            "model": f"model{rank}",
            "slo_ms": 100,
            "arrivals": {"process": "poisson", "rate_rps": options.rate * weight / total},
        }
        for rank, weight in enumerate(weights)
    ],
    "dispatcher": {"name": options.dispatcher},
}
json.dump(scenario, sys.stdout, indent=1)
sys.stdout.write("\n")
