"""The replayed arrivals of Paella's artifact: counts per model and realised mean gaps as in its runs."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scenarios" / "paella"))
sys.dont_write_bytecode = True
from arrivals import JOBS, MIX, PAIR, replay  # noqa: E402


def check(mix, sigma, counts, gap):
    arrivals = replay(mix, sigma)
    found = [sum(1 for name, _ in arrivals if name == model) for model in mix]
    assert found == counts, found
    realised = arrivals[-1][1] / JOBS
    assert abs(realised - gap) < 3e-4, realised


check(MIX, 2, [744, 195, 152, 31, 873, 509, 240, 256], 0.9384)
check(MIX, 1.5, [744, 195, 152, 31, 873, 509, 240, 256], 0.9552)
check(PAIR, 2, [2867, 133], 0.9384)
