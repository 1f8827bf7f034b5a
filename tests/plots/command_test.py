"""tangram plot and tangram report as processes: files, exit codes, messages."""
import contextlib
import html.parser
import io
import os
import pathlib
import re
import unittest

import fixture
from fixture import tangram

from tangram_plots import catalogue, command


def content(name):
    return pathlib.Path(fixture.path(name)).read_bytes()


class Plot(unittest.TestCase):
    def fails(self, code, pattern, *arguments, **environment):
        """The command ends with this code and message, and leaves no file."""
        before = sorted(os.listdir(fixture.FOLDER))
        done = tangram(*arguments, check=False, **environment)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertRegex(done.stderr, "^error: ")
        self.assertRegex(done.stderr, pattern)
        self.assertEqual(sorted(os.listdir(fixture.FOLDER)), before)

    def test_every_figure_is_drawn_without_a_word(self):
        for name in catalogue.DRAW:
            with self.subTest(figure=name):
                done = tangram("plot", fixture.FILE_OF[name], "--figure", name, "--out", name + ".svg")
                self.assertEqual(done.stdout + done.stderr, "")
                self.assertTrue(content(name + ".svg").startswith(b"<?xml"))

    def test_the_same_input_gives_the_same_bytes(self):
        for kind, head in (("pdf", b"%PDF"), ("svg", b"<?xml"), ("png", b"\x89PNG")):
            for copy in ("a", "b"):
                tangram("plot", "run.h5", "--figure", "latency_cdf", "--out", f"{copy}.{kind}")
            self.assertTrue(content(f"a.{kind}").startswith(head))
            self.assertEqual(content(f"a.{kind}"), content(f"b.{kind}"))

    def test_a_pdf_has_its_fonts_as_true_type_and_no_date(self):
        tangram("plot", "run.h5", "--figure", "workload_bars", "--out", "fonts.pdf")
        self.assertIn(b"/FontFile2", content("fonts.pdf"))
        self.assertNotIn(b"/Type3", content("fonts.pdf"))
        self.assertNotIn(b"CreationDate", content("fonts.pdf"))

    def test_a_users_settings_and_modules_change_nothing(self):
        tangram("plot", "run.h5", "--figure", "latency_cdf", "--out", "plain.svg")
        for name, text in (("matplotlibrc", "font.size: 30\n"), ("json.py", "raise OSError\n")):
            pathlib.Path(fixture.path(name)).write_text(text, encoding="utf-8")
            self.addCleanup(os.unlink, fixture.path(name))
        tangram("plot", "run.h5", "--figure", "latency_cdf", "--out", "same.svg")
        self.assertEqual(content("plain.svg"), content("same.svg"))

    def test_a_misspelt_figure_is_told_its_nearest_name_and_the_list(self):
        self.fails(2, 'unknown figure "latency_cdt"; did you mean "latency_cdf"\\? known: latency_cdf,',
                   "plot", "run.h5", "--figure", "latency_cdt", "--out", "x.svg")

    def test_all_faults_are_told_at_once(self):
        self.fails(2, "(?s)unknown figure.*--out x.txt: must end in.*none.h5: there is no such file"
                      ".*scenario.json: is not a result file",
                   "plot", "none.h5", "scenario.json", "--figure", "?", "--out", "x.txt")

    def test_wrong_input_ends_with_2(self):
        draw = ("plot", "run.h5", "--out", "x.svg", "--figure")
        for pattern, arguments in (
                ("no result file is named", ("plot",)),
                ('unknown option "--fgure"; did you mean "--figure"', (*draw, "gantt", "--fgure", "x")),
                ('unknown metric "latency_ms.p98"; did you mean "latency_ms.p99"',
                 (*draw, "load_latency", "--y", "latency_ms.p98")),
                ('--workload: unknown workload "tigth"; did you mean "tight"',
                 (*draw, "latency_cdf", "--workload", "tigth")),
                ('--x: unknown axis or metric "rat"', (*draw, "load_latency", "--x", "rat")),
                ("--point 1: .*points 0 to 0", (*draw, "latency_cdf", "--point", "1")),
                ("has no /search", (*draw, "capacity")),
                ("no batch runs from 80 s", (*draw, "gantt", "--from", "80", "--to", "81")),
                ("--to 1: must be after --from 2", (*draw, "gantt", "--from", "2", "--to", "1")),
                ('"x" is not AXIS=VALUE', (*draw, "gantt", "--where", "x")),
                ("has no /timeline: run", ("plot", "runs.h5", "--figure", "gantt", "--out", "x.svg")),
                ("has no /plan", ("plot", "sweep.h5", "--figure", "partition_map", "--out", "x.svg")),
                ("scenario.json: is not a plan of tangram plan --out .'gpus'",
                 ("plot", "scenario.json", "--figure", "partition_map", "--out", "x.svg")),
                ("none.json: there is no such file",
                 ("plot", "none.json", "--figure", "partition_map", "--out", "x.svg")),
                ("draws one file; got 2",
                 ("plot", "run.h5", "runs.h5", "--figure", "gantt", "--out", "x.svg")),
                ("1 labels for 2 files", ("plot", "run.h5", "runs.h5", "--label", "a", "--figure",
                                          "latency_cdf", "--out", "x.svg")),
                ("there is no folder none", ("plot", "run.h5", "--figure", "gantt", "--out",
                                             "none/x.svg"))):
            with self.subTest(pattern=pattern):
                # In this process: an interpreter for each would take most of the test's time.
                with contextlib.chdir(fixture.FOLDER), contextlib.redirect_stderr(io.StringIO()) as told:
                    self.assertEqual(command.main(list(arguments)), 2)
                self.assertRegex(told.getvalue(), pattern)
                self.assertFalse(os.path.exists(fixture.path("x.svg")))

    def test_a_broken_or_foreign_file_ends_with_2(self):
        whole = content("run.h5")
        for name, data in (("cut.h5", whole[:len(whole) // 2]), ("empty.h5", b"")):
            pathlib.Path(fixture.path(name)).write_bytes(data)
            self.fails(2, f"{name}: is not a result file, or a broken one", "plot", name, "--figure",
                       "latency_cdf", "--out", "x.svg")
        self.fails(2, "is not the result of tangram run or tangram sweep", "plot",
                   str(fixture.ROOT / "profiles/data/t4.analytic.h5"), "--figure", "latency_cdf",
                   "--out", "x.svg")

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_a_full_disk_is_the_systems_fault(self):
        os.symlink("/dev/full", fixture.path("full.svg"))
        self.fails(3, "full.svg: cannot be written", "plot", "run.h5", "--figure", "latency_cdf",
                   "--out", "full.svg")

    def test_a_missing_python_or_module_names_the_packages(self):
        self.fails(3, "no-python cannot be started.*python3-matplotlib", "plot", "run.h5",
                   TANGRAM_PYTHON="no-python")
        bare = pathlib.Path(fixture.path("bare-python"))
        bare.write_text(f'#!/bin/sh\nexec "{os.path.realpath("/proc/self/exe")}" -S -E "$@"\n',
                        encoding="utf-8")
        bare.chmod(0o755)
        # -E hides PYTHONPATH and -S the distribution's modules: run where the package is.
        done = fixture.subprocess.run(
            [str(bare), "-m", "tangram_plots", "plot"], cwd=fixture.ROOT / "plots",
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, "^error: .*apt-get install python3-matplotlib")

    def test_the_package_may_stand_elsewhere(self):
        self.fails(2, "TANGRAM_PLOTS .*: has no tangram_plots", "plot", TANGRAM_PLOTS=fixture.FOLDER)
        tangram("plot", "run.h5", "--figure", "latency_cdf", "--out", "elsewhere.svg",
                TANGRAM_PLOTS=str(fixture.ROOT / "plots"))

    def test_the_figures_are_described_without_python(self):
        text = tangram("describe", "figures", TANGRAM_PYTHON="no-python").stdout
        self.assertEqual(re.findall(r"^  (\w+) ", text, re.MULTILINE), list(catalogue.DRAW))


class Page(html.parser.HTMLParser):
    """The text, ids and links of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href"):
                self.links.append(value)

    def handle_data(self, data):
        self.text += data + " "


class Report(unittest.TestCase):
    def page(self, file):
        tangram("report", file, "--out", "page.html")
        return Page(content("page.html").decode("utf-8"))

    def test_a_page_needs_no_other_file_and_its_ids_are_unique(self):
        for file in ("run.h5", "sweep.h5", "search.h5"):
            with self.subTest(file=file):
                page = self.page(file)
                self.assertEqual(len(page.ids), len(set(page.ids)))
                self.assertTrue(all(link.startswith("#") for link in page.links))
                self.assertTrue({link[1:] for link in page.links} <= set(page.ids))
                self.assertNotIn("script", page.tags)
                self.assertGreaterEqual(page.tags.count("svg"), 3)

    def test_a_run_shows_its_tables_and_where_it_comes_from(self):
        page = self.page("run.h5")
        points = fixture.table("run.h5", "points")
        for text in ("two on one", "exclusive", "fixed_batch", "Seed", "tight", "loose", "ideal",
                     f"{points['total.offered'][0]:.0f}", f"{points['total.latency_ms.p99'][0]:.2f}",
                     '"duration_s"'):
            self.assertIn(text, page.text)
        self.assertEqual(page.tags.count("svg"), 6)

    def test_replications_show_their_intervals(self):
        self.assertIn("\N{PLUS-MINUS SIGN}", self.page("runs.h5").text)

    def test_a_sweep_shows_every_point_and_a_search_both_ends(self):
        page = self.page("sweep.h5")
        # Runs, seed, made by; the heading of the points; six points.
        self.assertEqual(page.tags.count("tr"), 3 + 1 + 6)
        found = fixture.table("search.h5", "search")
        text = self.page("search.h5").text
        for value in found["first_fail"].dropna():
            self.assertIn(f"{value:.{0 if value == int(value) else 1 if value >= 100 else 2}f}", text)

    def test_the_same_input_gives_the_same_page(self):
        tangram("report", "runs.h5", "--out", "first.html")
        tangram("report", "runs.h5", "--out", "second.html")
        self.assertEqual(content("first.html"), content("second.html"))

    def test_names_are_text_and_not_markup(self):
        name = "<b>&\"bold\"</b>"
        tangram("run", "scenario.json", "--out", "odd.h5", "--set", f"/workloads/0/name={name}")
        self.assertIn(name, self.page("odd.h5").text)

    def test_wrong_input_ends_with_2(self):
        done = tangram("report", "none.h5", "--out", "x.pdf", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "(?s)--out x.pdf: must end in .html.*none.h5: there is no")


if __name__ == "__main__":
    unittest.main()
