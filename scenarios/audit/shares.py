"""The audit of planners of MPS shares: iGniter's and gpulet's demands, planned by published planners
and simulated under constant, Poisson and lognormal arrivals. Tables go to docs/model/audit.md."""
import argparse
import csv
import json
import os

from study import Study, add_arguments, parse, verdict

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = os.path.dirname(HERE)
SEED = 7_100_000  # of the judging runs
WARMUP_S = 5

IGNITER = [{"name": "igniter_released"}, {"name": "igniter", "params": {"overlap_copies": False}},
           {"name": "first_fit"}, {"name": "gslice"}, {"name": "nexus"}]
GPULET = [{"name": name} for name in ("gpulet", "gpulet_released", "gpulet_greedy_released",
                                      "time_sharing_released", "nexus")]
WHOLE = [{"name": "dedicated"}, {"name": "nexus"}, {"name": "gpulet"}]
# A scenario of a neighbouring folder, its title, its planners.
SETS = (("igniter/twelve-tight.json", "iGniter, twelve, tight", IGNITER),
        ("igniter/twelve-loose.json", "iGniter, twelve, loose", IGNITER),
        ("gpulet/traffic.json", "gpulet, stages of traffic", GPULET),
        ("gpulet/equal.json", "gpulet, equal", GPULET),
        ("gpulet/long-only.json", "gpulet, long only", GPULET),
        ("gpulet/short-skew.json", "gpulet, short skew", GPULET),
        ("applications/traffic.json", "application traffic", WHOLE),
        ("applications/game.json", "application game", WHOLE))
ARRIVALS = {"constant": {"process": "constant"}, "poisson": {"process": "poisson"},
            "lognormal 1.5": {"process": "lognormal", "sigma": 1.5},
            "lognormal 2": {"process": "lognormal", "sigma": 2}}
IMPORTS = {"v100.igniter.h5": "igniter", "2080ti.gpulet.h5": "gpulet"}
GPUS = 12  # in the cluster, so that no planner is short
COLUMNS = ("set", "arrivals", "planner", "gpus", "replications", "measured_s", "services",
           "worst_service", "worst_pct", "worst_half_pct", "below_99", "below_999", "note")


class Shares(Study):
    def __init__(self, folder, jobs, replications, seconds):
        super().__init__(folder, jobs)
        self.replications = replications
        self.seconds = seconds
        self.rows = []

    def import_profiles(self, folders):
        for (name, importer), folder in zip(IMPORTS.items(), folders):
            if not os.path.isfile(self.path(name)):
                self.must("profile", "import", "--from", importer, folder, "--out",
                          self.path(name))

    def scenario(self, file, arrivals):
        path = os.path.join(SCENARIOS, file)
        with open(path, encoding="utf-8") as text:
            scenario = json.load(text)
        scenario["profiles"] = [
            self.path(name) if name in IMPORTS else name for name in scenario["profiles"]]
        scenario["cluster"]["gpus"][0]["count"] = GPUS
        for workload in scenario["workloads"]:
            rate = workload["arrivals"]["rate_rps"]
            workload["arrivals"] = dict(ARRIVALS[arrivals], rate_rps=rate)
        scenario.update(seed=SEED, warmup_s=WARMUP_S, duration_s=WARMUP_S + self.seconds)
        return scenario

    def plan(self, stem, scenario, planner):
        """(plan file, GPUs with something on them), or (None, why there is none)."""
        file = self.path(stem + ".plan.json")
        if not os.path.isfile(file):
            self.write(stem + ".json", dict(scenario, planner=planner))
            code, text = self.call("plan", self.path(stem + ".json"), "--out", file)
            if code != 0:
                return None, text.splitlines()[0] if text else f"exit code {code}"
        with open(file, encoding="utf-8") as text:
            plan = json.load(text)
        return file, sum(any(p["replicas"] for p in gpu["partitions"]) for gpu in plan["gpus"])

    def judge(self, file, title, planners, arrivals):
        print(f"{title}, {arrivals}", flush=True)
        scenario = self.scenario(file, arrivals)
        stem = f"{title}-{arrivals}".replace(" ", "-").replace(",", "")
        plans = {}
        for planner in planners:
            plan, gpus = self.plan(f"{stem}-{planner['name']}", scenario, planner)
            row = {"set": title, "arrivals": arrivals, "planner": planner["name"]}
            if plan is None:
                self.rows.append(dict(row, replications=0, note=gpus))
            else:
                plans[planner["name"]] = (plan, dict(row, gpus=gpus))
        if not plans:
            return
        result = self.sweep(stem, {
            "scenario": scenario, "replications": self.replications, "histograms": False,
            "axes": [{"pointer": "/planner", "values": [{"plan": p} for p, _ in plans.values()]}]})
        frames = {row: frame for row, frame in result.workloads.groupby("row")}
        for place, (_, row) in enumerate(plans.values()):
            mine = [frames[r] for r, point in enumerate(result.rows["point"])
                    if int(point) == place and r in frames]
            self.rows.append(dict(row, replications=len(mine), measured_s=self.seconds,
                                  **verdict(mine)))

    def run(self):
        for file, title, planners in SETS:
            for arrivals in ARRIVALS:
                self.judge(file, title, planners, arrivals)
        with open(self.path("shares.csv"), "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n",
                                    extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)
        with open(self.path("shares.md"), "w", encoding="utf-8") as file:
            file.write(self.tables())

    def tables(self):
        lines = []
        for _, title, planners in SETS:
            lines += [f"### {title}", "", "| planner | " + " | ".join(ARRIVALS) + " |",
                      "|-|" + "-|" * len(ARRIVALS)]
            for planner in planners:
                cells = []
                for arrivals in ARRIVALS:
                    row = next(r for r in self.rows if (r["set"], r["arrivals"], r["planner"]) ==
                               (title, arrivals, planner["name"]))
                    cells.append("no plan" if not row["replications"] else
                                 f"{row['gpus']}: {float(row['worst_pct']):.2f} ± "
                                 f"{float(row['worst_half_pct']):.2f} ({row['below_99']})")
                lines.append(f"| `{planner['name']}` | " + " | ".join(cells) + " |")
            lines.append("")
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="scenarios/audit/run_shares.sh", description=__doc__)
    parser.add_argument("igniter", help="the folder for scenarios/igniter/prepare.sh")
    parser.add_argument("gpulet", help="the folder for scenarios/gpulet/prepare.sh")
    add_arguments(parser)
    arguments = parse(parser)
    shares = Shares(arguments.out, arguments.jobs, *((4, 5) if arguments.quick else (20, 30)))
    shares.import_profiles([arguments.igniter, arguments.gpulet])
    shares.run()


if __name__ == "__main__":
    main()
