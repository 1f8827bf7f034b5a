"""The audit of published plans: plans, long replicated simulations, and one row per verdict.

    run.sh starts this; see its --help. Everything is made with the tangram command: this script
    writes scenarios and sweeps into a work folder, and reads what comes back.
"""
import argparse
import csv
import dataclasses
import json
import os
import shutil

from present import write_figure, write_matrix, write_tables
from study import ROOT, Study, add_arguments, parse, verdict

# Rows (model, size, batch, processes) of the published profiles that cannot be true: copies of the
# row with one process less, and one jump of the same kind. The docs page has the reasoning.
FAULTY_ROWS = (
    ("bert", 3, 256, 3), ("densenet121", 1, 8, 5), ("densenet201", 1, 8, 3),
    ("inceptionv3", 2, 8, 5), ("mobilenetv2", 4, 64, 4), ("mobilenetv2", 4, 128, 3),
    ("mobilenetv2", 4, 256, 2), ("resnet152", 1, 4, 5), ("resnet50", 2, 32, 4),
    ("densenet169", 7, 128, 2))

ARRIVALS = {
    "poisson": {"process": "poisson"},
    "lognormal 1.5": {"process": "lognormal", "sigma": 1.5},
    "lognormal 2": {"process": "lognormal", "sigma": 2.0}}
ROUTINGS = ("weighted_random", "wrr", "shortest_finish", "central")
BATCHINGS = {
    "full": {"name": "fixed_batch"},
    "timeout 10 ms": {"name": "fixed_batch", "params": {"timeout_ms": 10}},
    "eager": {"name": "eager"},
    "tf_serving 2 ms": {"name": "tf_serving", "params": {"timeout_ms": 2, "max_batch": 1024}}}
MAIN = ("wrr", "eager")  # the routing and batching of the three main rows
SEED = 20211  # of the judging runs; planning uses the scenario's seed 1


@dataclasses.dataclass(frozen=True, eq=False)
class Contender:
    """Somebody who plans: a label, the profile set, and the planner of the scenario."""
    label: str
    profiles: str  # "as is" or "clean"
    planner: dict
    in_matrix: bool = False  # judged under every routing and batching, not the main rows alone
    per_arrivals: bool = False  # its plan depends on the arrival process


def planner(name, **params):
    return {"name": name, "params": params}


CONTENDERS = (
    Contender("shipped", "as is", {}, in_matrix=True),
    Contender("parvagpu_released", "as is", planner("parvagpu_released"), in_matrix=True),
    Contender("parvagpu", "as is", planner("parvagpu"), in_matrix=True),
    Contender("parvagpu", "clean", planner("parvagpu"), in_matrix=True),
    Contender("optimal", "as is", planner("optimal", max_processes=5), in_matrix=True),
    Contender("optimal", "clean", planner("optimal", max_processes=5), in_matrix=True),
    Contender("tangram 99 %", "clean", planner("tangram", max_processes=5, use_suspect=True),
              in_matrix=True, per_arrivals=True),
    Contender("tangram 99.9 %", "clean",
              planner("tangram", max_processes=5, use_suspect=True, target=0.999),
              per_arrivals=True),
    Contender("tangram 99 %, own screening", "as is", planner("tangram", max_processes=5),
              per_arrivals=True),
    Contender("mig_serving", "clean", planner("mig_serving")),
    Contender("dedicated", "clean", planner("dedicated")),
)

COLUMNS = ("scenario", "arrivals", "contender", "profiles", "gpus", "routing", "batching",
           "replications", "measured_s", "services", "mean_pct", "mean_half_pct", "worst_service",
           "worst_pct", "worst_half_pct", "below_99", "below_999", "note")


@dataclasses.dataclass(frozen=True)
class Lengths:
    """Of the judging runs: replications, seconds of the main rows and of the matrix."""
    replications: int
    main_s: int
    matrix_s: int
    scenarios: tuple
    contenders: tuple


FULL = Lengths(20, 120, 20, (1, 2, 3, 4, 5, 6), CONTENDERS)
# What CI runs: the smallest scenarios, and S5, whose shipped plan fails.
QUICK = Lengths(4, 20, 5, (1, 3, 5), tuple(c for c in CONTENDERS if c.label in (
    "shipped", "optimal", "tangram 99 %")))
WARMUP_S = 10


class Audit(Study):
    def __init__(self, data, folder, jobs, lengths):
        super().__init__(folder, jobs)
        self.data = data
        self.lengths = lengths
        self.rows = []

    def import_profiles(self):
        """As published, and with the faulty rows marked as not measured."""
        source = os.path.join(self.data, "profiles")
        if not os.path.isdir(source):
            source = os.path.join(self.data, "prof_data")
        self.must("profile", "import", "--from", "parvagpu", source, "--out",
                  self.path("as is.h5"))
        clean = self.path("clean")
        shutil.copytree(source, clean, dirs_exist_ok=True)
        for model, size, batch, processes in FAULTY_ROWS:
            file = os.path.join(clean, f"{model}.csv")
            with open(file, encoding="utf-8") as lines:
                table = lines.read().splitlines()
            key = f"{size},{batch},{processes},"
            matching = [i for i, line in enumerate(table) if line.startswith(key)]
            if len(matching) != 1:
                raise SystemExit(f"error: {file}: {len(matching)} rows begin with {key}")
            table[matching[0]] = key + "0,0"
            with open(file, "w", encoding="utf-8") as lines:
                lines.write("\n".join(table) + "\n")
        self.must("profile", "import", "--from", "parvagpu", clean, "--out",
                  self.path("clean.h5"))

    def scenario(self, number, arrivals, profiles):
        """Scenario S<number> of the sibling folder with these arrivals, ready for any plan."""
        source = os.path.join(ROOT, "scenarios", "parvagpu", f"s{number}.json")
        with open(source, encoding="utf-8") as file:
            scenario = json.load(file)
        scenario["name"] = f"S{number}, {arrivals}"
        scenario["profiles"] = [self.path(f"{profiles}.h5")]
        scenario["cluster"] = {"gpus": [{"type": "a100-80gb", "count": 64}]}
        for workload in scenario["workloads"]:
            workload["arrivals"] = {"rate_rps": workload["arrivals"]["rate_rps"],
                                    **ARRIVALS[arrivals]}
        routing, batching = MAIN
        scenario.update(routing=routing, dispatcher=BATCHINGS[batching], seed=1,
                        duration_s=WARMUP_S + 60, warmup_s=WARMUP_S)
        return scenario

    def shipped_plan(self, number):
        name = f"SLO{number}_ParvaGPU_deploy.csv"
        for folder in (os.path.join(self.data, "deployments"),
                       os.path.join(self.data, "deployment", f"SLO{number}")):
            if os.path.isfile(os.path.join(folder, name)):
                return {"plan": os.path.join(folder, name), "format": "parvagpu"}
        raise SystemExit(f"error: {self.data} has no {name}")

    def plan(self, number, arrivals, contender):
        """(the scenario's planner section with a finished plan, GPUs), or (None, reason)."""
        scenario = self.scenario(number, arrivals, contender.profiles)
        scenario["planner"] = contender.planner or self.shipped_plan(number)
        stem = f"plan S{number} {contender.label} {contender.profiles}"
        if contender.per_arrivals:
            stem += f" {arrivals}"
        stem = stem.replace(" ", "-").replace("%", "pct").replace(",", "")
        plan_file = self.path(stem + ".json")
        if not os.path.isfile(plan_file):
            self.write(stem + ".scenario.json", scenario)
            code, text = self.call("plan", self.path(stem + ".scenario.json"), "--out", plan_file)
            if code != 0:
                return None, text.splitlines()[0] if text else f"exit code {code}"
        with open(plan_file, encoding="utf-8") as file:
            plan = json.load(file)
        return {"plan": plan_file}, sum(1 for gpu in plan["gpus"] if gpu["partitions"])

    def judge(self, number, arrivals, profiles, plans, routings, batchings, seconds):
        """Simulates all of these plans under all of these routings and batchings."""
        if not plans:
            return
        print(f"S{number}, {arrivals}, profiles {profiles}: {len(plans)} plans x "
              f"{len(routings) * len(batchings)} servers, {seconds} s", flush=True)
        scenario = self.scenario(number, arrivals, profiles)
        scenario.update(seed=SEED, duration_s=WARMUP_S + seconds)
        contenders = list(plans)
        sweep = {
            "scenario": scenario, "replications": self.lengths.replications, "histograms": False,
            "axes": [{"pointer": "/planner", "values": [plans[c][0] for c in contenders]},
                     {"pointer": "/routing", "values": list(routings)},
                     {"pointer": "/dispatcher", "values": [BATCHINGS[b] for b in batchings]}]}
        stem = f"S{number}-{arrivals}-{profiles}-{seconds}s".replace(" ", "-")
        result = self.sweep(stem, sweep)
        attained = result.workloads
        points = [(c, r, b) for c in contenders for r in routings for b in batchings]
        per_point = {}
        for row, (point, replication) in enumerate(
                zip(result.rows["point"], result.rows["replication"])):
            per_point.setdefault(int(point), []).append(row)
        by_row = {row: frame for row, frame in attained.groupby("row")}
        for place, (contender, routing, batching) in enumerate(points):
            frames = [by_row[row] for row in per_point[place] if row in by_row]
            self.rows.append({
                "scenario": f"S{number}", "arrivals": arrivals, "contender": contender.label,
                "profiles": profiles, "gpus": plans[contender][1], "routing": routing,
                "batching": batching, "replications": len(frames), "measured_s": seconds,
                **verdict(frames)})

    def refuse(self, number, arrivals, contender, reason):
        routing, batching = MAIN
        self.rows.append({"scenario": f"S{number}", "arrivals": arrivals,
                          "contender": contender.label, "profiles": contender.profiles,
                          "routing": routing, "batching": batching, "replications": 0,
                          "note": reason})

    def run(self):
        self.import_profiles()
        cases = [(number, arrivals, profiles) for number in self.lengths.scenarios
                 for arrivals in ARRIVALS for profiles in ("as is", "clean")]
        plans = {case: self.plans(*case) for case in cases}
        routing, batching = MAIN
        for case in cases:
            self.judge(*case, plans[case], [routing], [batching], self.lengths.main_s)
        for case in cases:
            matrix = {c: plan for c, plan in plans[case].items() if c.in_matrix}
            self.judge(*case, matrix, ROUTINGS, BATCHINGS, self.lengths.matrix_s)
        with open(self.path("audit.csv"), "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)

    def plans(self, number, arrivals, profiles):
        """The finished plans of this case, by contender; who has none gets a row that says why."""
        made = {}
        for contender in self.lengths.contenders:
            if contender.profiles != profiles:
                continue
            plan, gpus = self.plan(number, arrivals, contender)
            if plan is None:
                self.refuse(number, arrivals, contender, gpus)
            else:
                made[contender] = (plan, gpus)
        return made


def main():
    parser = argparse.ArgumentParser(
        prog="scenarios/audit/run.sh",
        description="Audits published and our own plans of ParvaGPU's scenarios S1 to S6.")
    parser.add_argument("data", help="a clone of ParvaGPU's repository, or a folder that keeps its "
                        "files in profiles/ and deployments/")
    add_arguments(parser)
    arguments = parse(parser)
    if not os.path.isdir(arguments.data):
        parser.error(f"{arguments.data} is not a folder")
    audit = Audit(os.path.abspath(arguments.data), arguments.out, arguments.jobs,
                  QUICK if arguments.quick else FULL)
    audit.run()
    write_tables(audit.path("audit.csv"), audit.path("audit.md"))
    write_figure(audit.path("audit.csv"), audit.path("audit.svg"))
    write_matrix(audit.path("audit.csv"), audit.path("matrix.csv"), audit.path("matrix.svg"))
    print(f"{audit.path('audit.csv')}, audit.md, audit.svg, matrix.csv and matrix.svg are written")


if __name__ == "__main__":
    main()
