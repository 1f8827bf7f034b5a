"""Resource efficiency, latency predictability and performance isolation of seven ways to share one
GPU, on the same mixes. run.sh starts this; docs/model/majula.md defines the metrics.

Two sweeps: "saturated" (closed loop, every tenant always has a full batch outstanding) for
throughput, predictability and slowdowns, "open" (Poisson) for goodput and the aggressor test.
"""
import argparse
import itertools
import math

import present
from study import Study, add_arguments, parse

GPU = "a100-80gb"
BATCH = 8
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


def plan(strategy, tenants, places, batch=BATCH):
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


def device(strategy):
    return {"sharing": "sm" if strategy == "sm" else "from_plan", "processes": "busy",
            "interference": INTERFERENCE}


class Majula(Study):
    def __init__(self, folder, jobs, is_quick):
        super().__init__(folder, jobs)
        pairs = list(itertools.combinations_with_replacement(MODELS, 2))
        self.mixes = [("resnet50", "bert"), MODELS] if is_quick else [
            *pairs, MODELS, ("resnet50",) * 4]
        self.seconds = 20 if is_quick else 60
        self.replications = 3
        self.alone_ms = {}

    def scenario(self, dispatcher):
        return {"schema": 1, "name": "majula", "seed": 11, "duration_s": self.seconds + 2,
                "warmup_s": 2, "profiles": [f"{GPU}.analytic.h5"],
                "cluster": {"gpus": [{"type": GPU}]}, "workloads": [],
                "planner": {}, "dispatcher": dispatcher, "device": {}}

    def server(self, strategy, models, places, batch=BATCH):
        """The GPU under this strategy. Static SM shares are the caps of MPS made reservations."""
        name = f"{strategy}-{places}-batch{batch}-{'-'.join(models)}.plan.json"
        file = self.write(name, plan(strategy, tenants_of(models), places, batch))
        return {"/planner": {"plan": file}, "/device": device(strategy)}

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

    def saturated_case(self, strategy, models, places, batch=BATCH):
        closed = {"process": "closed_loop", "clients": batch, "think_ms": 0}
        return {"/workloads": [self.workload(t, closed) for t in tenants_of(models)],
                **self.server(strategy, models, places, batch)}

    def saturated(self):
        """Rows of the first sweep, by (strategy, mix); alone on the whole GPU, and alone on the
        share that a tenant has in a mix."""
        scenario = self.scenario({"name": "fixed_batch", "params": {"batch": BATCH}})
        keys, cases = [], []
        for model in MODELS:
            keys.append(("alone", model))
            cases.append(self.saturated_case("exclusive", (model,), 1))
        keys.append("one batch of four")
        cases.append(self.saturated_case("exclusive", ("resnet50",), 1, batch=4))
        for strategy in STRATEGIES:
            for models in self.mixes:
                keys.append((strategy, models))
                cases.append(self.saturated_case(strategy, models, len(models)))
            keys.append((strategy, "four of one"))
            cases.append(self.saturated_case(strategy, ("resnet50",) * 4, 4, batch=1))
        found, _ = self.points("saturated", scenario, cases)
        rows = dict(zip(keys, found))
        for model in MODELS:
            self.alone_ms[model] = rows["alone", model][0][f"a {model}"]["latency_ms.mean"]
        return rows

    def goodput(self):
        """goodput99 of each mix under each strategy, in requests/s of all tenants, which offer equal
        GPU time; and of each tenant of the aggressor's pair alone on its partition."""
        scenario = self.scenario({"name": "eager", "params": {"max_batch": BATCH}})
        mixes = [m for m in self.mixes if len(m) == 4] + [("resnet50", "bert")]
        poisson = {"process": "poisson"}
        keys, cases = [], []
        for strategy in STRATEGIES:
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
                cases.append(self.lone_case(strategy, place, model, poisson))
        highest = 2 * max(len(m) for m in mixes) * BATCH * 1000 / min(self.alone_ms.values())
        _, result = self.points("goodput", scenario, cases, replications=1, search={
            "pointer": "/popularity/rate_rps", "low": 10, "high": highest, "scale": "log",
            "tolerance": 0.02,
            "target": {"metric": "/workloads/*/slo_attainment", "at_least": 0.99}})
        passed = result.table("search")["highest_pass"]
        return {key: 0 if math.isnan(value) else value for key, value in zip(keys, passed)}

    def lone_case(self, strategy, place, model, arrivals):
        """One tenant on its partition of the GPU cut for two."""
        both = plan(strategy, tenants_of(("resnet50", "bert")), 2)
        name = tenants_of(("resnet50", "bert"))[place][0]
        for partition in both["gpus"][0]["partitions"]:
            partition["replicas"] = [{**r, "group": 0} for r in partition["replicas"]
                                     if r["workload"] == name]
        file = self.write(f"{strategy}-alone-{model}.plan.json", both)
        return {"/workloads": [self.workload((name, model), arrivals)],
                "/planner": {"plan": file}, "/device": device(strategy),
                "/popularity": {"rate_rps": 100, "kind": "weights", "weights": {name: 1}}}

    def aggressor(self, goodput):
        """The victim resnet50 at half of what it attains alone, beside bert at growing load."""
        scenario = self.scenario({"name": "eager", "params": {"max_batch": BATCH}})
        keys, cases = [], []
        for strategy in STRATEGIES:
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
        tables = present.Tables(STRATEGIES, MODELS, rows, goodput, self.aggressor(goodput),
                                self.alone_ms)
        tables.write(self.path("majula.md"))
        tables.draw(self.path("majula.svg"))
        print(f"{self.path('majula.md')} and majula.svg are written")


def main():
    parser = argparse.ArgumentParser(
        prog="scenarios/majula/run.sh",
        description="Seven ways to share one GPU: efficiency, predictability, isolation.")
    add_arguments(parser)
    arguments = parse(parser)
    Majula(arguments.out, arguments.jobs, arguments.quick).run()


if __name__ == "__main__":
    main()
