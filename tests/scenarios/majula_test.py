"""The short form of the Majula study on the block device model, and what it must find. Simulations
are exact; bounds are what follows from the strategies, not what was measured once."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def table_of(lines):
    """{row: {column: cell}} of the first Markdown table in these lines."""
    rows = [[cell.strip() for cell in line.strip("| \n").split("|")]
            for line in lines if line.startswith("|")]
    head = rows[0]
    return {row[0]: dict(zip(head, row[1:])) for row in rows[2:] if len(row) == len(head) + 1}


class MajulaOnBlocks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tangram-majula-")
        done = subprocess.run(
            [os.path.join(ROOT, "scenarios/majula/run.sh"), "--quick", "--device", "blocks",
             "--out", cls.folder.name], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        with open(os.path.join(cls.folder.name, "majula-blocks.md"), encoding="utf-8") as file:
            cls.table = table_of(file.read().split("\n\n")[1].splitlines())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def blocks(self, metric, strategy):
        return float(self.table[metric][strategy].split(" / ")[1])

    def test_one_at_a_time_is_the_measure(self):
        self.assertEqual(self.table["E1 STP"]["exclusive"], "1 / 1")
        self.assertEqual(self.table["E3 goodput99 / exclusive"]["exclusive"], "1 / 1")

    def test_slices_are_shared_less_the_switches(self):
        # 2 ms of every 2.17.
        self.assertAlmostEqual(self.blocks("E1 STP", "time_slicing"), 2 / 2.17, delta=0.03)

    def test_parts_of_the_hardware_isolate(self):
        self.assertEqual(self.blocks("I2 worst slowdown", "mig"), 1)
        for strategy in ("streams", "mps_no_cap", "mig_mps"):
            self.assertGreater(self.blocks("I2 worst slowdown", strategy), 1.01, strategy)

    def test_side_by_side_serves_more(self):
        for strategy in ("streams", "mps_no_cap", "mps", "sm", "mig", "mig_mps"):
            self.assertGreater(self.blocks("E1 STP", strategy), 1.3, strategy)
            self.assertGreater(self.blocks("E3 goodput99 / exclusive", strategy), 1.3, strategy)


if __name__ == "__main__":
    try:
        import h5py  # noqa: F401
        import matplotlib  # noqa: F401
        import pandas  # noqa: F401
    except ImportError as missing:
        print(f"skipped: {sys.executable}: {missing}")
        sys.exit(77)
    unittest.main(verbosity=2)
