"""What the studies of this folder share: a work folder, the tangram command, sweeps that are made
once. A study's run.sh puts this file and the package of the figures on Python's path."""
import json
import os
import subprocess

from tangram_plots.results import Result
from tangram_plots.statistics import interval

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def tangram_command():
    return os.environ.get("TANGRAM", os.path.join(ROOT, "build/release/cli/tangram"))


def add_arguments(parser):
    parser.add_argument("--out", required=True, help="work folder; what is there is not made again")
    parser.add_argument("--quick", action="store_true", help="a short form of minutes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())


def parse(parser):
    arguments = parser.parse_args()
    if not os.access(tangram_command(), os.X_OK):
        parser.error(f"no command at {tangram_command()}: build it, or name it in the variable "
                     "TANGRAM")
    os.makedirs(arguments.out, exist_ok=True)
    return arguments


def verdict(frames):
    """The figures of one row from the workloads of its replications. Requests weigh the mean;
    the half widths are those of 95 % intervals over replications."""
    means = [100 * (f["slo_attainment"] * f["offered"]).sum() / f["offered"].sum() for f in frames]
    services = {}
    for frame in frames:
        for name, attained in zip(frame["name"], frame["slo_attainment"]):
            services.setdefault(name, []).append(100 * attained)
    of_service = {name: interval(values) for name, values in services.items()}
    worst = min(of_service, key=lambda name: of_service[name][0])
    mean, mean_half = interval(means)
    return {"services": len(of_service),
            "mean_pct": f"{mean:.4f}", "mean_half_pct": f"{mean_half:.4f}",
            "worst_service": worst, "worst_pct": f"{of_service[worst][0]:.4f}",
            "worst_half_pct": f"{of_service[worst][1]:.4f}",
            "below_99": sum(value < 99 for value, _ in of_service.values()),
            "below_999": sum(value < 99.9 for value, _ in of_service.values())}


class Study:
    def __init__(self, folder, jobs):
        self.folder = os.path.abspath(folder)
        self.jobs = jobs

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, content):
        with open(self.path(name), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        return self.path(name)

    def call(self, *arguments):
        """Runs the command; returns (exit code, standard error)."""
        done = subprocess.run([tangram_command(), *arguments], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stderr.strip()

    def must(self, *arguments):
        code, text = self.call(*arguments)
        if code != 0:
            raise SystemExit(f"error: tangram {' '.join(arguments)} ended with {code}\n{text}")

    def sweep(self, stem, sweep):
        """The result of the sweep, which is run unless STEM.h5 is there."""
        result = self.path(stem + ".h5")
        if not os.path.isfile(result):
            self.must("sweep", self.write(stem + ".sweep.json", sweep), "--out", result,
                      "--jobs", str(self.jobs), "--resume")
        found = Result(result)
        if found.has("errors"):
            messages = dict.fromkeys(found.table("errors")["message"])
            raise SystemExit(f"error: {result}: " + "\n".join(messages))
        return found
