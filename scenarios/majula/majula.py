"""Resource efficiency, latency predictability and performance isolation of seven ways to share one
GPU, on the same mixes. run.sh starts this; docs/model/majula.md defines the metrics.

Two sweeps: "saturated" (closed loop, every tenant always has a full batch outstanding) for
throughput, predictability and slowdowns, "open" (Poisson) for goodput and the aggressor test.

With `--device blocks` all of it at batch 1 on the block device model, beside the same at batch 1 on
the rate device model.
"""
import argparse
import itertools
import math
import os

import present
from study import Study, add_arguments, parse

GPU = "a100-80gb"
MODELS = ("mobilenetv2", "resnet50", "densenet121", "bert")
SLO_MS = 100  # the default of Clockwork
# The mean over 1500 measured co-runs on a V100 under MPS (docs/model/interference.md).
INTERFERENCE = {"name": "constant", "params": {"factor": 1.097}}
AGGRESSOR_LOADS = (0.01, 0.5, 1, 1.5, 2)  # of what the aggressor alone attains on its partition


def mig(*sizes_and_starts):
    return [{"size": size, "start": start} for size, start in sizes_and_starts]


# Parts of the GPU by number of tenants; of four, the lightest models get the smallest.
SHARES_PCT = {1: (100,), 2: (50, 50), 4: (20, 20, 30, 30)}
MIG = {1: mig((7, 0)), 2: mig((3, 4), (3, 0)), 4: mig((1, 6), (2, 0), (2, 2), (2, 4))}
# (instances, the instance of each tenant)
MIG_MPS = {1: (mig((7, 0)), (0,)), 2: (mig((7, 0)), (0, 0)), 4: (mig((3, 4), (3, 0)), (0, 0, 1, 1))}
STRATEGIES = ("exclusive", "time_slicing", "streams", "mps", "sm", "mig", "mig_mps")


def plan(strategy, tenants, places, batch):
    """The plan of one GPU cut for `places` tenants, of which these are there."""
    replicas = [{"workload": name, "model": model, "batch": batch, "group": group}
                for group, (name, model) in enumerate(tenants)]
    if strategy == "exclusive":
        mode, partitions = "whole", [{"replicas": [{**r, "group": 0} for r in replicas]}]
    elif strategy == "mig_mps":
        instances, place_of = MIG_MPS[places]
        mode = "mig"
        partitions = [{**instance, "replicas": [r for r, p in zip(replicas, place_of) if p == i]}
                      for i, instance in enumerate(instances)]
    else:
        mode = {"time_slicing": "time_sliced", "sm": "mps"}.get(strategy, strategy)
        if strategy == "mig":
            cut = MIG[places]
        elif mode == "mps":
            cut = [{"share_pct": share} for share in SHARES_PCT[places]]
        else:
            cut = [{}] * places
        partitions = [{**part, "replicas": [{**r, "group": 0}]} for part, r in zip(cut, replicas)]
    return {"schema": 1, "planner": strategy,
            "gpus": [{"index": 0, "type": GPU, "mode": mode, "partitions": partitions}]}


def tenants_of(models):
    """Names that stay apart when a model comes twice."""
    return [(f"{'abcdefgh'[i]} {model}", model) for i, model in enumerate(models)]


class Majula(Study):
    """On the rate device model, whose neighbours slow each other by one measured factor."""

    strategies = STRATEGIES
    seconds, quick_seconds, warmup_s, replications = 60, 20, 2, 3
    saturated_seconds = None  # as long as the others
    tolerance = 0.02  # of a capacity

    def __init__(self, folder, jobs, is_quick, batch):
        super().__init__(folder, jobs)
        os.makedirs(folder, exist_ok=True)
        self.batch = batch
        pairs = list(itertools.combinations_with_replacement(MODELS, 2))
        self.mixes = [("resnet50", "bert"), MODELS] if is_quick else [*pairs, MODELS]
        if batch > 1 and not is_quick:  # against one batch of four
            self.mixes.append(("resnet50",) * 4)
        if is_quick:
            self.seconds = self.quick_seconds
            self.tolerance *= 5
        self.alone_ms = {}

    def scenario(self, dispatcher, seconds=None):
        return {"schema": 1, "name": "majula", "seed": 11,
                "duration_s": (seconds or self.seconds) + self.warmup_s, "warmup_s": self.warmup_s,
                "profiles": [f"{GPU}.analytic.h5"], "cluster": {"gpus": [{"type": GPU}]},
                "workloads": [], "planner": {}, **dispatcher, "device": {}}

    # What decides about batches where every tenant always has one, and where it takes what waits.
    def saturating(self):
        return {"dispatcher": {"name": "fixed_batch", "params": {"batch": self.batch}}}

    def serving(self):
        return {"dispatcher": {"name": "eager", "params": {"max_batch": self.batch}}}

    def plan(self, strategy, tenants, places, batch=None):
        return plan(strategy, tenants, places, batch or self.batch)

    def device(self, strategy, _tenants):
        """Static SM shares are the caps of MPS made reservations."""
        return {"/device": {"sharing": "sm" if strategy == "sm" else "from_plan",
                            "processes": "busy", "interference": INTERFERENCE}}

    def server(self, strategy, models, places, batch=None):
        """The GPU under this strategy."""
        name = f"{strategy}-{places}-batch{batch or self.batch}-{'-'.join(models)}.plan.json"
        tenants = tenants_of(models)
        file = self.write(name, self.plan(strategy, tenants, places, batch))
        return {"/planner": {"plan": file}, **self.device(strategy, tenants)}

    @staticmethod
    def workload(tenant, arrivals):
        name, model = tenant
        return {"name": name, "model": model, "slo_ms": SLO_MS, "arrivals": arrivals}

    def points(self, stem, scenario, cases, **more):
        """Runs the cases, each {pointer: value}; returns, per case, the rows of its replications as
        {workload: row}."""
        pointers = list(cases[0])
        result = self.sweep(stem, {
            "scenario": {**scenario, **{p.strip("/"): cases[0][p] for p in pointers}},
            "mode": "zip", "histograms": False, "replications": self.replications,
            "axes": [{"pointer": p, "values": [case[p] for case in cases]} for p in pointers],
            **more})
        found = [[] for _ in cases]
        for row, group in result.workloads.groupby("row"):
            found[int(result.rows["point"][row])].append(
                {r["name"]: r for _, r in group.iterrows()})
        return found, result

    def saturated_case(self, strategy, models, places, batch=None):
        return {"/workloads": [self.workload(t, self.closed(batch)) for t in tenants_of(models)],
                **self.server(strategy, models, places, batch)}

    def closed(self, batch=None):
        return {"process": "closed_loop", "clients": batch or self.batch, "think_ms": 0}

    def saturated(self):
        """Rows of the first sweep, by (strategy, mix); alone on the whole GPU, and alone on the
        share that a tenant has in a pair."""
        scenario = self.scenario(self.saturating(), self.saturated_seconds)
        keys, cases = [], []
        for model in MODELS:
            keys.append(("alone", model))
            cases.append(self.saturated_case("exclusive", (model,), 1))
        cases += self.batching_cases(keys)
        for strategy in self.strategies:
            for models in self.mixes:
                keys.append((strategy, models))
                cases.append(self.saturated_case(strategy, models, len(models)))
            for model in MODELS:
                keys.append(("same share", strategy, model))
                cases.append(self.lone_case(strategy, 0, (model, model), self.closed()))
        found, _ = self.points("saturated", scenario, cases)
        rows = dict(zip(keys, found))
        for model in MODELS:
            self.alone_ms[model] = rows["alone", model][0][f"a {model}"]["latency_ms.mean"]
        return rows

    def batching_cases(self, keys):
        """Four at batch 1 under each strategy, and one batch of four."""
        if self.batch < 4:
            return []
        keys.append("one batch of four")
        cases = [self.saturated_case("exclusive", ("resnet50",), 1, batch=4)]
        for strategy in self.strategies:
            keys.append((strategy, "four of one"))
            cases.append(self.saturated_case(strategy, ("resnet50",) * 4, 4, batch=1))
        return cases

    def goodput(self):
        """goodput99 of each mix under each strategy, in requests/s of all tenants, which offer equal
        GPU time; and of each tenant of the aggressor's pair alone on its partition."""
        scenario = self.scenario(self.serving())
        mixes = [m for m in self.mixes if len(m) == 4]
        poisson = {"process": "poisson"}
        keys, cases = [], []
        for strategy in self.strategies:
            for models in mixes:
                tenants = tenants_of(models)
                keys.append((strategy, models))
                cases.append({
                    "/workloads": [self.workload(t, poisson) for t in tenants],
                    **self.server(strategy, models, len(models)),
                    "/popularity": {"rate_rps": 100, "kind": "weights", "weights": {
                        name: 1 / self.alone_ms[model] for name, model in tenants}}})
            for place, model in enumerate(("resnet50", "bert")):
                keys.append((strategy, "alone", model))
                cases.append({
                    **self.lone_case(strategy, place, ("resnet50", "bert"), poisson),
                    "/popularity": {"rate_rps": 100, "kind": "weights", "weights": {
                        tenants_of(("resnet50", "bert"))[place][0]: 1}}})
        highest = 2 * max(len(m) for m in mixes) * self.batch * 1000 / min(self.alone_ms.values())
        _, result = self.points("goodput", scenario, cases, replications=1, search={
            "pointer": "/popularity/rate_rps", "low": 10, "high": highest, "scale": "log",
            "tolerance": self.tolerance,
            "target": {"metric": "/workloads/*/slo_attainment", "at_least": 0.99}})
        passed = result.table("search")["highest_pass"]
        return {key: 0 if math.isnan(value) else value for key, value in zip(keys, passed)}

    def lone_case(self, strategy, place, models, arrivals):
        """One tenant on its partition of the GPU cut for two."""
        tenants = tenants_of(models)
        lone = tenants[place]
        both = self.plan(strategy, tenants, 2)
        for partition in both["gpus"][0]["partitions"]:
            partition["replicas"] = [{**r, "group": 0} for r in partition["replicas"]
                                     if r["workload"] == lone[0]]
        file = self.write(f"{strategy}-alone-{lone[1]}-{place}.plan.json", both)
        return {"/workloads": [self.workload(lone, arrivals)], "/planner": {"plan": file},
                **self.device(strategy, [lone])}

    def aggressor(self, goodput):
        """The victim resnet50 at half of what it attains alone, beside bert at growing load."""
        scenario = self.scenario(self.serving())
        keys, cases = [], []
        for strategy in self.strategies:
            victim = goodput[strategy, "alone", "resnet50"] / 2
            for load in AGGRESSOR_LOADS:
                rates = (victim, load * goodput[strategy, "alone", "bert"])
                keys.append((strategy, load))
                cases.append({
                    "/workloads": [self.workload(t, {"process": "poisson", "rate_rps": rate})
                                   for t, rate in zip(tenants_of(("resnet50", "bert")), rates)],
                    **self.server(strategy, ("resnet50", "bert"), 2)})
        found, _ = self.points("aggressor", {**scenario, "drain": False}, cases)
        return dict(zip(keys, found))

    def run(self):
        rows = self.saturated()
        goodput = self.goodput()
        tables = present.Tables(self.strategies, MODELS, rows, goodput, self.aggressor(goodput),
                                self.alone_ms)
        tables.write(self.path("majula.md"))
        tables.draw(self.path("majula.svg"))
        print(f"{self.path('majula.md')} and majula.svg are written")
        return tables


class OnBlocks(Majula):
    """On the block device model: requests one by one, kernel by kernel; of each tenant one at a
    time, as an executor of the rate model has it."""

    strategies = ("exclusive", "time_slicing", "streams", "mps_no_cap", *STRATEGIES[3:])
    # Kernels cost a thousand times what batches do. Closed loops without scatter need no long runs.
    seconds, quick_seconds, warmup_s, replications = 10, 1, 0.5, 2
    saturated_seconds = 1
    tolerance = 0.05

    def saturating(self):
        return {"stages": {}}

    def serving(self):
        return {"stages": {}}

    def plan(self, strategy, tenants, places, batch=None):
        # One context, or one per workload: the stage dispatcher says.
        whole = strategy in ("time_slicing", "streams", "mps_no_cap")
        return plan("exclusive" if whole else strategy, tenants, places, 1)

    def device(self, strategy, tenants):
        stages = {
            "exclusive": {"name": "cuda_multistream"},
            "time_slicing": {"name": "time_sliced", "params": {"streams": 1}},
            "streams": {"name": "cuda_multistream", "params": {"ideal": True},
                        "instances": {name: 1 for name, _ in tenants}},
        }.get(strategy, {"name": "mps_clients", "params": {"streams": 1}})
        return {"/device": {"model": "blocks", "sharing": "sm" if strategy == "sm" else "from_plan",
                            "blocks": {"contention": "roofline"}},
                "/stages": stages}


def main():
    parser = argparse.ArgumentParser(
        prog="scenarios/majula/run.sh",
        description="Seven ways to share one GPU: efficiency, predictability, isolation.")
    add_arguments(parser)
    parser.add_argument("--device", choices=("rate", "blocks"), default="rate",
                        help="blocks: the block device model, beside the rate model at batch 1")
    arguments = parse(parser)
    if arguments.device == "rate":
        Majula(arguments.out, arguments.jobs, arguments.quick, batch=8).run()
        return
    found = [kind(os.path.join(arguments.out, name), arguments.jobs, arguments.quick, batch=1).run()
             for kind, name in ((Majula, "rate"), (OnBlocks, "blocks"))]
    target = os.path.join(arguments.out, "majula-blocks.md")
    present.compare(target, *found)
    print(f"{target} is written")


if __name__ == "__main__":
    main()
