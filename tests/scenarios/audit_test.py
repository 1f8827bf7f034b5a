"""The short form of the audit, and what it must find. Without the reference data it ends with 77:
skipped. Simulations are exact, so the counts are; what is random is judged by a wide margin."""
import csv
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tangram-audit-")
        done = subprocess.run(
            [os.path.join(ROOT, "scenarios/audit/run.sh"), DATA, "--quick", "--out",
             cls.folder.name], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        with open(os.path.join(cls.folder.name, "audit.csv"), encoding="utf-8") as file:
            cls.rows = list(csv.DictReader(file))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def main_rows(self, contender, arrivals):
        """The longest runs, by scenario."""
        profiles = "as is" if contender == "shipped" else "clean"
        key = (contender, profiles, arrivals, "wrr", "eager")
        rows = [row for row in self.rows if key == tuple(
            row[name] for name in ("contender", "profiles", "arrivals", "routing", "batching"))]
        longest = max(float(row["measured_s"]) for row in rows)
        return {row["scenario"]: row for row in rows if float(row["measured_s"]) == longest}

    def test_gpus(self):
        for contender, arrivals, gpus in (
                ("shipped", "poisson", {"S1": 2, "S3": 5, "S5": 13}),
                ("optimal", "poisson", {"S1": 2, "S3": 5, "S5": 12}),
                ("tangram 99 %", "poisson", {"S1": 2, "S3": 5, "S5": 12}),
                ("tangram 99 %", "lognormal 1.5", {"S1": 2, "S3": 5, "S5": 14})):
            with self.subTest(contender=contender, arrivals=arrivals):
                found = self.main_rows(contender, arrivals)
                self.assertEqual({name: int(row["gpus"]) for name, row in found.items()}, gpus)

    def test_the_shipped_plan_of_s5_fails_and_ours_holds(self):
        shipped = self.main_rows("shipped", "poisson")
        self.assertEqual(int(shipped["S1"]["below_99"]), 0)
        self.assertGreaterEqual(int(shipped["S5"]["below_99"]), 2)
        self.assertLess(float(shipped["S5"]["worst_pct"]), 60)
        for arrivals in ("poisson", "lognormal 1.5"):
            for name, row in self.main_rows("tangram 99 %", arrivals).items():
                with self.subTest(arrivals=arrivals, scenario=name):
                    self.assertEqual(int(row["below_99"]), 0, row["worst_service"])

    def test_tables_and_figure_are_written(self):
        for name in ("audit.md", "audit.svg", "matrix.csv", "matrix.svg"):
            self.assertGreater(os.path.getsize(os.path.join(self.folder.name, name)), 1000)


class Shares(unittest.TestCase):
    """The second part: iGniter's and gpulet's demands."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(prefix="tangram-shares-") as folder:
            done = subprocess.run(
                [os.path.join(ROOT, "scenarios/audit/run_shares.sh"),
                 os.path.join(REFERENCE, "igniter"), os.path.join(REFERENCE, "gpulet"), "--quick",
                 "--out", folder], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise AssertionError(done.stderr)
            with open(os.path.join(folder, "shares.csv"), encoding="utf-8") as file:
                cls.rows = {(r["set"], r["arrivals"], r["planner"]): r for r in csv.DictReader(file)}

    def test_igniters_plans_hold_for_its_own_arrivals_only(self):
        for name in ("iGniter, twelve, tight", "iGniter, twelve, loose"):
            constant = self.rows[name, "constant", "igniter"]
            self.assertEqual((constant["gpus"], constant["below_99"]), ("6", "0"))
            self.assertEqual(self.rows[name, "poisson", "igniter"]["below_99"], "12")

    def test_gpulets_margins_hold_under_poisson(self):
        for name in ("gpulet, stages of traffic", "gpulet, equal", "gpulet, long only",
                     "gpulet, short skew", "application game"):
            with self.subTest(name=name):
                self.assertEqual(self.rows[name, "poisson", "gpulet"]["below_99"], "0")


if __name__ == "__main__":
    if not os.environ.get("TANGRAM_REFERENCE_DATA"):
        print("skipped: TANGRAM_REFERENCE_DATA is not set")
        sys.exit(77)
    REFERENCE = os.environ["TANGRAM_REFERENCE_DATA"]
    DATA = os.path.join(REFERENCE, "parvagpu")
    try:
        import h5py  # noqa: F401
        import matplotlib  # noqa: F401
        import pandas  # noqa: F401
    except ImportError as missing:
        print(f"skipped: {sys.executable}: {missing}")
        sys.exit(77)
    unittest.main(verbosity=2)
