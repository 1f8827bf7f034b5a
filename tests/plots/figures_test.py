"""What the figures show is what the files hold, told from the artists rather than from pixels."""
import math
import unittest

import fixture
import numpy
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle

from tangram_plots import catalogue, style
from tangram_plots.errors import InputError
from tangram_plots.figures import capacity, partition_map
from tangram_plots.plan_file import PlanFile
from tangram_plots.results import Result
from tangram_plots.selection import Options
from tangram_plots.statistics import interval, student_t


def draw(name, files=None, labels=(), **options):
    style.apply()
    files = files or [fixture.FILE_OF[name]]
    labels = labels or [None] * len(files)
    results = [Result(fixture.path(file), label) for file, label in zip(files, labels)]
    return catalogue.DRAW[name](results, Options(**options))


def legend_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def lines_of(figure):
    """{name in the legend: (x, y)} of the lines with their error bars."""
    names = legend_of(figure) or [""]
    containers = figure.axes[0].containers
    return {name: container[0].get_xydata().T for name, container in zip(names, containers)}


class Statistics(unittest.TestCase):
    def test_the_interval_is_that_of_student(self):
        # Mean 4, standard deviation sqrt((4 + 0 + 4) / 2) = 2; t of 2 degrees is 4.302653.
        mean, half_width = interval([2, 4, 6])
        self.assertEqual(mean, 4)
        self.assertAlmostEqual(half_width, 4.302653 * 2 / math.sqrt(3), places=12)

    def test_one_value_has_no_interval(self):
        self.assertEqual(interval([7])[0], 7)
        self.assertTrue(math.isnan(interval([7])[1]))

    def test_quantiles_beyond_the_table_are_those_of_the_published_tables(self):
        self.assertAlmostEqual(student_t(31), 2.039513, places=5)
        self.assertAlmostEqual(student_t(100), 1.983972, places=5)


class Load(unittest.TestCase):
    def expected(self, column, value, batch):
        rows = fixture.table("sweep.h5", "points")
        return rows[(rows["axis.0"] == value) & (rows["axis.1"] == batch)][column]

    def test_a_line_per_value_of_the_second_axis_has_the_means_over_the_replications(self):
        for figure_name, column, scale in (("load_latency", "total.latency_ms.p99", 1),
                                           ("load_attainment", "total.slo_attainment", 100)):
            lines = lines_of(draw(figure_name))
            self.assertEqual(list(lines), ["batch 4", "batch 8"])
            for batch in (4, 8):
                x, y = lines[f"batch {batch}"]
                self.assertEqual(list(x), [100, 300, 500])
                for rate, drawn in zip(x, y):
                    self.assertAlmostEqual(drawn, scale * self.expected(column, rate, batch).mean())

    def test_error_bars_are_the_intervals(self):
        bars = draw("load_latency").axes[0].containers[0][2][0].get_segments()
        for (low, high), rate in zip(bars, (100, 300, 500)):
            values = self.expected("total.latency_ms.p99", rate, 4)
            half_width = 4.302653 * values.std(ddof=1) / math.sqrt(3)
            self.assertAlmostEqual(low[1], values.mean() - half_width)
            self.assertAlmostEqual(high[1], values.mean() + half_width)

    def test_a_workload_is_drawn_from_its_own_rows(self):
        figure = draw("load_attainment", workloads=("tight",), where=(("batch", "8"),))
        table = fixture.table("sweep.h5", "workloads")
        points = fixture.table("sweep.h5", "points")
        table = table.join(points[["axis.0", "axis.1"]], on="point")
        rows = table[(table["name"] == b"tight") & (table["axis.1"] == 8)]
        x, y = lines_of(figure)[""]
        expected = 100 * rows.groupby("axis.0")["slo_attainment"].mean()
        numpy.testing.assert_allclose(x, expected.index)
        numpy.testing.assert_allclose(y, expected)

    def test_by_workload_makes_a_line_of_each(self):
        lines = lines_of(draw("load_goodput", ["sweep.h5"], by=("workload",),
                              where=((fixture.BATCH, "4"),)))
        self.assertEqual(list(lines), ["tight", "loose"])

    def test_what_would_be_mixed_must_be_chosen(self):
        with self.assertRaisesRegex(InputError, "batch has several values too.*--where"):
            draw("load_latency", by=("workload",))

    def test_other_axes_metrics_and_names_of_them(self):
        figure = draw("load_latency", x="batch", y="gpus.busy_fraction")
        self.assertEqual(list(lines_of(figure)), ["rate 100", "rate 300", "rate 500"])
        axes = figure.axes[0]
        self.assertEqual((axes.get_xlabel(), axes.get_ylabel()), ("Batch", "GPU time busy (%)"))
        self.assertEqual(draw("load_latency").axes[0].get_xlabel(),
                         "tight: arrival rate (requests/s)")

    def test_files_are_overlaid_under_their_labels(self):
        figure = draw("load_attainment", ["run.h5", "runs.h5"], ["one", "three"], x="offered_rps")
        lines = lines_of(figure)
        self.assertEqual(list(lines), ["one", "three"])
        points = fixture.table("runs.h5", "points")
        # 5 s are measured.
        self.assertAlmostEqual(lines["three"][0][0], points["total.offered"].mean() / 5)

    def test_files_of_one_label_make_one_line(self):
        figure = draw("load_attainment", ["run.h5", "runs.h5"], ["same", "same"], x="offered_rps")
        self.assertEqual(len(figure.axes[0].containers), 1)
        self.assertEqual(len(lines_of(figure)[""][0]), 2)

    def test_an_objective_that_all_share_is_drawn_beside_the_latency(self):
        figure = draw("load_latency", workloads=("tight",))
        self.assertEqual(legend_of(figure)[-1], "SLO 60 ms")
        self.assertIn([60, 60], [list(line.get_ydata()) for line in figure.axes[0].get_lines()])

    def test_a_curve_has_latency_above_and_attainment_with_its_target_below(self):
        figure = draw("load_curve")
        upper, lower = figure.axes
        self.assertEqual((upper.get_ylabel(), lower.get_ylabel()),
                         ("99th percentile latency (ms)", "SLO attainment (%)"))
        self.assertEqual((upper.get_yscale(), lower.get_yscale()), ("log", "linear"))
        self.assertEqual(legend_of(figure), ["batch 8", "batch 1", "target 99 %"])
        rows = fixture.table("search.h5", "points")
        rows = rows[rows["axis.0"] == 1].astype({"axis.1": float}).sort_values("axis.1")
        for axes, column, scale in ((upper, "total.latency_ms.p99", 1),
                                    (lower, "total.slo_attainment", 100)):
            x, y = axes.containers[1][0].get_xydata().T
            numpy.testing.assert_allclose(x, rows["axis.1"])
            numpy.testing.assert_allclose(y, scale * rows[column])

    def test_a_search_is_drawn_against_what_it_searched(self):
        x, _ = lines_of(draw("load_attainment", ["search.h5"]))["batch 1"]
        rows = fixture.table("search.h5", "points")
        self.assertEqual(sorted(x), sorted(set(rows[rows["axis.0"] == 1]["axis.1"])))


class Distribution(unittest.TestCase):
    def bins(self, file, rows, workload):
        bins = fixture.table(file, "histograms/latency")
        bins = bins[bins["point"].isin(rows) & (bins["workload"] == workload)]
        return bins.groupby(["lower_ns", "upper_ns"])["count"].sum().reset_index()

    def test_the_cdf_is_the_cumulated_histogram(self):
        line = draw("latency_cdf").axes[0].get_lines()[0]
        bins = self.bins("run.h5", [0], 0)
        expected = bins["count"].cumsum() / bins["count"].sum()
        self.assertEqual((line.get_xdata()[0], line.get_ydata()[0]),
                         (bins["lower_ns"][0] / 1e6, 0))
        numpy.testing.assert_allclose(line.get_xdata()[1:], bins["upper_ns"] / 1e6)
        numpy.testing.assert_allclose(line.get_ydata()[1:], expected)
        self.assertEqual(line.get_ydata()[-1], 1)

    def test_replications_count_together(self):
        line = draw("latency_cdf", ["runs.h5"], workloads=("loose",)).axes[0].get_lines()[0]
        bins = self.bins("runs.h5", [0, 1, 2], 1)
        numpy.testing.assert_allclose(line.get_ydata()[1:], bins["count"].cumsum()
                                      / bins["count"].sum())

    def test_the_ccdf_is_what_the_cdf_leaves(self):
        below = draw("latency_cdf").axes[0].get_lines()[1].get_ydata()
        figure = draw("latency_ccdf", ["run.h5"])
        numpy.testing.assert_allclose(figure.axes[0].get_lines()[1].get_ydata(), 1 - below[:-1])
        self.assertEqual(figure.axes[0].get_yscale(), "log")

    def test_total_has_the_requests_of_all_workloads(self):
        figure = draw("latency_cdf", workloads=("total",))
        bins = fixture.table("run.h5", "histograms/latency")
        self.assertEqual(figure.axes[0].get_lines()[0].get_xdata()[-1],
                         bins["upper_ns"].max() / 1e6)

    def test_points_of_a_sweep_are_named_by_what_differs(self):
        figure = draw("latency_ccdf", workloads=("tight",), where=(("batch", "4"),))
        self.assertEqual(legend_of(figure), ["rate 100", "rate 300", "rate 500", "SLO"])
        self.assertEqual(legend_of(draw("latency_ccdf", points=(1,))), ["tight", "loose", "SLO"])

    def test_objectives_stand_where_they_are(self):
        lines = draw("latency_cdf").axes[0].get_lines()
        self.assertIn([60, 60], [list(line.get_xdata()) for line in lines])
        self.assertIn([500, 500], [list(line.get_xdata()) for line in lines])


class Bars(unittest.TestCase):
    def test_workload_bars_are_the_means_of_the_workloads(self):
        figure = draw("workload_bars", y="latency_ms.p99")
        expected = fixture.table("runs.h5", "workloads").groupby("name")["latency_ms.p99"].mean()
        heights = [bar.get_height() for bar in figure.axes[0].patches]
        numpy.testing.assert_allclose(heights, [expected[b"tight"], expected[b"loose"]])

    def test_capacity_bars_and_marks_are_both_ends_of_the_search(self):
        figure = draw("capacity")
        found = fixture.table("search.h5", "search").sort_values("axis.0")
        self.assertEqual([text.get_text() for text in figure.axes[0].get_xticklabels()], ["1", "8"])
        numpy.testing.assert_allclose([bar.get_height() for bar in figure.axes[0].patches],
                                      found["highest_pass"].fillna(0))
        fails = found["first_fail"].dropna()
        marks = figure.axes[0].get_lines()[0]
        self.assertGreater(len(fails), 0)
        numpy.testing.assert_allclose(marks.get_ydata(), fails)
        self.assertEqual(figure.axes[0].get_title(),
                         "SLO attainment of every workload \N{GREATER-THAN OR EQUAL TO} 99 %")


    def test_what_a_bar_does_not_say_stands_above_it(self):
        none, all_passed = math.nan, math.nan
        for highest, first, monotone, text in (
                (none, 100, 1, "none"), (800, all_passed, 1, "\N{GREATER-THAN OR EQUAL TO}"),
                (700, 500, 0, "not\nmonotone"), (500, 510, 1, None)):
            _, axes = style.new_figure("column")
            capacity.remark(axes, 0, {"highest_pass": highest, "first_fail": first,
                                      "monotone": monotone})
            self.assertEqual([told.get_text() for told in axes.texts], [text] if text else [])

    def test_searches_for_different_things_are_not_drawn_together(self):
        results = [Result(fixture.path("search.h5"), name) for name in ("a", "b")]
        results[1].sweep["search"]["target"] = {"metric": "/total/latency_ms/p99", "at_most": 50}
        with self.assertRaisesRegex(InputError, "searches with target"):
            catalogue.DRAW["capacity"](results, Options())

    def test_long_names_below_an_axis_are_cut_in_the_middle(self):
        self.assertEqual(style.shortened("a-name-of-twenty-two-x", 20), "a-name-of...ty-two-x")
        self.assertEqual(style.shortened("short", 20), "short")


class Partitions(unittest.TestCase):
    @staticmethod
    def gpu(mode, *partitions):
        return {"index": 0, "type": "a100-80gb", "mode": mode,
                "partitions": [dict(partition, replicas=[]) for partition in partitions]}

    def places(self, gpu, scenario=None, sms=None):
        return [(left, width) for left, width, _ in partition_map.places(gpu, scenario or {}, sms)]

    def test_mig_instances_stand_on_their_slots_and_take_those_of_their_memory(self):
        # 3 slices have 4 memory slices: at start 4 they hold slots 4 to 7 of 8.
        gpu = self.gpu("mig", {"size": 3, "start": 4}, {"size": 1, "start": 2})
        self.assertEqual(self.places(gpu), [(0.5, 0.5), (0.25, 0.125)])

    def test_a_described_type_has_its_own_slots(self):
        scenario = {"cluster": {"types": [{"name": "a100-80gb",
                                           "mig": [{"slices": 1, "memory_slices": 2}]}]}}
        gpu = self.gpu("mig", {"size": 1, "start": 2})
        self.assertEqual(self.places(gpu, scenario), [(0.25, 0.25)])

    def test_shares_and_sms_stand_side_by_side(self):
        self.assertEqual(self.places(self.gpu("mps", {"share_pct": 50}, {"share_pct": 25})),
                         [(0, 0.5), (0.5, 0.25)])
        self.assertEqual(self.places(self.gpu("sm", {"sms": 27}, {"sms": 54}), None,
                                     {"a100-80gb": 108}), [(0, 0.25), (0.25, 0.5)])

    def test_the_plan_of_a_run_is_drawn_with_its_workloads(self):
        figure = draw("partition_map")
        self.assertEqual(legend_of(figure), ["tight", "loose"])
        boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
        # The GPU, both workloads on it, the partition's edge.
        self.assertEqual(len(boxes), 4)

    def test_a_plan_is_drawn_without_a_run(self):
        figure = catalogue.DRAW["partition_map"]([PlanFile(fixture.path("plan.json"))], Options())
        self.assertEqual(legend_of(figure), ["tight", "loose"])


class Timeline(unittest.TestCase):
    def test_boxes_are_the_batches_of_the_window(self):
        figure = draw("gantt", start_s=2.0, end_s=2.5)
        batches = fixture.table("run.h5", "timeline")
        shown = batches[(batches["end_ns"] > 2e9) & (batches["start_ns"] < 2.5e9)]
        drawn = []
        for boxes in figure.axes[0].collections:
            self.assertIsInstance(boxes, PolyCollection)
            drawn += [(path.vertices[:, 0].min(), path.vertices[:, 0].max())
                      for path in boxes.get_paths()]
        expected = sorted(zip(shown["start_ns"] / 1e9, shown["end_ns"] / 1e9))
        self.assertGreater(len(expected), 10)
        numpy.testing.assert_allclose(sorted(drawn), expected)
        self.assertEqual(figure.axes[0].get_xlim(), (2.0, 2.5))

    def test_without_a_window_it_begins_after_the_warm_up(self):
        low, high = draw("gantt").axes[0].get_xlim()
        self.assertEqual(low, 1)
        self.assertGreater(high, low)

    def test_the_rate_counts_every_request_once(self):
        lines = draw("timeline_rate").axes[0].get_lines()
        batches = fixture.table("run.h5", "timeline")
        width = batches["end_ns"].max() / 1e9 / len(lines[0].get_ydata())
        for number, line in enumerate(lines[:2]):
            self.assertAlmostEqual(line.get_ydata().sum() * width,
                                   batches[batches["workload"] == number]["batch"].sum(), places=6)


class EveryFigure(unittest.TestCase):
    def test_the_table_and_the_code_know_the_same_figures(self):
        self.assertEqual(list(catalogue.summaries()), list(catalogue.DRAW))
        self.assertEqual(set(fixture.FILE_OF), set(catalogue.DRAW))

    def test_axes_have_names_and_legends_cover_no_data(self):
        for name in catalogue.DRAW:
            for width in style.WIDTHS:
                with self.subTest(figure=name, width=width):
                    figure = draw(name, width=width)
                    figure.draw_without_rendering()
                    axes = figure.axes[0]
                    named_rows = name in ("gantt", "partition_map")
                    lowest = figure.axes[-1]  # panels one above the other share their x axis
                    self.assertTrue(lowest.get_xlabel() or name in ("workload_bars",))
                    self.assertTrue(axes.get_ylabel() or named_rows)
                    self.assertEqual(figure.get_size_inches()[0], style.WIDTHS[width])
                    for legend in figure.legends:
                        box = legend.get_window_extent()
                        self.assertGreaterEqual(box.y0, axes.get_window_extent().y1)
                        self.assertLessEqual(box.x1, figure.bbox.x1)

    def test_lines_differ_in_more_than_colour(self):
        looks = [style.line_style(i) for i in range(style.MOST_SERIES)]
        without_colour = {(str(look["linestyle"]), look["marker"]) for look in looks}
        self.assertEqual(len(without_colour), style.MOST_SERIES)

    def test_more_lines_than_can_be_told_apart_are_refused(self):
        results = [Result(fixture.path("sweep.h5"), str(k)) for k in range(15)]
        with self.assertRaisesRegex(InputError, "30 lines"):
            catalogue.DRAW["load_latency"](results, Options())


if __name__ == "__main__":
    unittest.main()
