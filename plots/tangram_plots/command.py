"""The command line: `plot` and `report`, their options, and exit codes as of the whole command."""
import argparse
import os
import signal
import sys
import warnings

from tangram_plots import catalogue, files, report, style
from tangram_plots.errors import Faults, InputError, unknown_name
from tangram_plots.plan_file import PlanFile
from tangram_plots.results import Result
from tangram_plots.selection import Options

DONE, WRONG_INPUT, SYSTEM_FAILED = 0, 2, 3


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise InputError(f"{self.prog}: {message}")

    def parse(self, arguments):
        """Like parse_args, with the nearest option for a misspelt one."""
        parsed, extra = self.parse_known_args(arguments)
        for word in extra:
            known = [name for action in self._actions for name in action.option_strings
                     if name.startswith("--")]
            raise InputError(f"{self.prog}: " + unknown_name("option", word.split("=")[0], known))
        return parsed


def _pair(text):
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f'"{text}" is not AXIS=VALUE')
    return name, value


def _plot_parser():
    parser = Parser(prog="tangram plot", allow_abbrev=False, description="Draws a figure from results.",
                    formatter_class=argparse.RawDescriptionHelpFormatter,
                    epilog="figures:\n" + "".join(f"  {name:<16} {summary}\n" for name, summary
                                                  in catalogue.summaries().items()))
    parser.add_argument("results", nargs="*", metavar="R.h5", help="results of run or sweep; partition_map takes a PLAN.json too")
    parser.add_argument("--figure", metavar="NAME", help="what to draw; see below")
    parser.add_argument("--out", metavar="FILE", help="F.pdf, F.svg or F.png")
    parser.add_argument("--label", action="append", metavar="TEXT",
                        help="name of a file in the legend, once per file in their order; files of "
                             "equal name make one line")
    parser.add_argument("--x", metavar="AXIS", help="axis of the sweep, or metric, to draw against")
    parser.add_argument("--y", metavar="METRIC", help="what to draw: a column of the result")
    parser.add_argument("--by", action="append", default=[], metavar="AXIS",
                        help="a line per value of this axis, or per \"workload\"; repeatable")
    parser.add_argument("--where", action="append", default=[], type=_pair, metavar="AXIS=VALUE",
                        help="only these points; repeatable")
    parser.add_argument("--point", action="append", default=[], type=int, metavar="N",
                        help="only this point of the sweep; repeatable")
    parser.add_argument("--workload", action="append", default=[], metavar="NAME",
                        help="only this workload; repeatable")
    parser.add_argument("--from", dest="start", type=float, metavar="S", help="begin of the window, s")
    parser.add_argument("--to", dest="end", type=float, metavar="S", help="end of the window, s")
    parser.add_argument("--log-x", action=argparse.BooleanOptionalAction, default=None,
                        help="logarithmic or not")
    parser.add_argument("--log-y", action=argparse.BooleanOptionalAction, default=None,
                        help="logarithmic or not")
    parser.add_argument("--title", metavar="TEXT", help="above the figure; default: none")
    parser.add_argument("--width", choices=sorted(style.WIDTHS), default="column",
                        help="of a column (3.33 in, default) or a page (7 in)")
    return parser


def _results(paths, given, figure=None):
    if not paths:
        raise InputError("no result file is named: R.h5, as tangram run or tangram sweep wrote it")
    if given is not None and len(given) != len(paths):
        raise InputError(f"--label: {len(given)} labels for {len(paths)} files")
    faults = Faults()
    results = [faults.attempt(PlanFile if figure == "partition_map" and path.endswith(".json")
                              else Result, path, label)
               for path, label in zip(paths, given or [None] * len(paths))]
    faults.raise_if_any()
    names = [result.label for result in results]
    for result in results if given is None else ():
        if names.count(result.label) > 1:  # a/r.h5 and b/r.h5
            result.label = os.path.splitext(result.path)[0]
    return results


def _check_figure(name):
    known = list(catalogue.summaries())
    if name is None:
        raise InputError(f"--figure NAME is missing; known: {', '.join(known)}")
    if name not in known:
        raise InputError("--figure: " + unknown_name("figure", name, known))


def _check_out(path, endings, inputs):
    listed = " or ".join(endings)
    if path is None:
        raise InputError(f"--out FILE is missing; it ends in {listed}")
    if os.path.splitext(path)[1].lower() not in endings:
        raise InputError(f"--out {path}: must end in {listed}")
    files.check_output("--out", path, inputs)


def _plot(arguments):
    parsed = _plot_parser().parse(arguments)
    faults = Faults()
    faults.attempt(_check_figure, parsed.figure)
    faults.attempt(_check_out, parsed.out, ["." + kind for kind in style.FORMATS], parsed.results)
    results = faults.attempt(_results, parsed.results, parsed.label, parsed.figure)
    faults.raise_if_any()
    options = Options(x=parsed.x, y=parsed.y, by=tuple(parsed.by), where=tuple(parsed.where),
                      workloads=tuple(parsed.workload), points=tuple(parsed.point),
                      start_s=parsed.start, end_s=parsed.end, log_x=parsed.log_x,
                      log_y=parsed.log_y, title=parsed.title, width=parsed.width)
    style.apply()
    figure = catalogue.DRAW[parsed.figure](results, options)
    kind = os.path.splitext(parsed.out)[1].lstrip(".").lower()
    files.write_file(parsed.out, style.rendered(figure, kind))


def _report(arguments):
    parser = Parser(prog="tangram report", allow_abbrev=False,
                    description="Tables and figures of a result as one HTML page.")
    parser.add_argument("results", nargs="*", metavar="R.h5", help="result of run or sweep")
    parser.add_argument("--out", metavar="R.html", help="the page")
    parsed = parser.parse(arguments)
    if len(parsed.results) > 1:
        raise InputError(f"tangram report: is of one result; got {len(parsed.results)}")
    faults = Faults()
    faults.attempt(_check_out, parsed.out, [".html", ".htm"], parsed.results)
    results = faults.attempt(_results, parsed.results, None)
    faults.raise_if_any()
    style.apply()
    files.write_file(parsed.out, report.page(results[0]).encode("utf-8"))


def main(arguments):
    """Runs `plot ...` or `report ...`; returns the exit code."""
    commands = {"plot": _plot, "report": _report}
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
    warnings.simplefilter("ignore")  # of libraries, about their own future
    try:
        if not arguments or arguments[0] not in commands:
            raise InputError("usage: python3 -m tangram_plots plot|report ...")
        commands[arguments[0]](arguments[1:])
    except InputError as error:
        for line in str(error).split("\n"):
            print(f"error: {line}", file=sys.stderr)
        return WRONG_INPUT
    except (OSError, MemoryError) as error:
        print(f"error: {error or 'out of memory'}", file=sys.stderr)
        return SYSTEM_FAILED
    except Exception as error:  # pylint: disable=broad-except
        print(f"error: a bug in tangram {arguments[0]}, please report it: "
              f"{type(error).__name__}: {error}", file=sys.stderr)
        return SYSTEM_FAILED
    return DONE
