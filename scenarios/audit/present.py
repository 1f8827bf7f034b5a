"""Tables and the figure of the audit, from its rows (audit.csv) alone."""
import sys

import pandas
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tangram_plots import style

# The contenders of the figure, in the order of its legend.
SHOWN = (("shipped", "as is"), ("parvagpu", "clean"), ("optimal", "clean"),
         ("tangram 99 %", "clean"), ("tangram 99.9 %", "clean"))
FEWEST_MISSES_PCT = 0.005  # the bottom of the figure; fewer misses are drawn there
MAIN = ("wrr", "eager")


def read(path):
    rows = pandas.read_csv(path, dtype={"note": str}, keep_default_na=True)
    return rows[rows["replications"] > 0], rows[rows["replications"] == 0]


def longest(rows):
    """Of equal rows, those of the longest runs: main rows are in the matrix once more."""
    return rows[rows["measured_s"] == rows["measured_s"].max()]


def main_rows(rows):
    return longest(rows[(rows["routing"] == MAIN[0]) & (rows["batching"] == MAIN[1])])


def ordered(values):
    return list(dict.fromkeys(values))


def gpus_table(rows, refused):
    lines = []
    for arrivals in ordered(rows["arrivals"]):
        of_process = main_rows(rows)[lambda r: r["arrivals"] == arrivals]
        scenarios = ordered(of_process["scenario"])
        lines += [f"### {arrivals}", "",
                  "| plan | rows | " + " | ".join(scenarios) + " | services < 99 / < 99.9 % |",
                  "|-|-|" + "-|" * (len(scenarios) + 1)]
        for (contender, profiles), group in of_process.groupby(["contender", "profiles"],
                                                               sort=False):
            cells = []
            for scenario in scenarios:
                row = group[group["scenario"] == scenario]
                if row.empty:
                    cells.append("no plan")
                else:
                    r = row.iloc[0]
                    cells.append(f"{int(r['gpus'])}: {r['worst_pct']:.2f} ± "
                                 f"{r['worst_half_pct']:.2f}")
            lines.append(f"| {contender} | {profiles} | " + " | ".join(cells) +
                         f" | {int(group['below_99'].sum())} / {int(group['below_999'].sum())} of "
                         f"{int(group['services'].sum())} |")
        lines.append("")
    if not refused.empty:
        lines += ["Plans that could not be made:", ""]
        for (contender, note), group in refused.groupby(["contender", "note"], sort=False):
            names = ", ".join(ordered(group["scenario"]))
            lines.append(f"- {contender} ({names}): {note}")
        lines.append("")
    return lines


def matrix_table(rows):
    """Services below 99 % and 99.9 % over all scenarios, under every routing and batching."""
    shortest = rows[rows["measured_s"] == rows["measured_s"].min()]
    lines = []
    for arrivals in ordered(shortest["arrivals"]):
        of_process = shortest[shortest["arrivals"] == arrivals]
        batchings = ordered(of_process["batching"])
        lines += [f"### {arrivals}", "", "| plan | rows | routing | " + " | ".join(batchings) + " |",
                  "|-|-|-|" + "-|" * len(batchings)]
        for (contender, profiles, routing), group in of_process.groupby(
                ["contender", "profiles", "routing"], sort=False):
            cells = []
            for batching in batchings:
                g = group[group["batching"] == batching]
                cells.append(f"{int(g['below_99'].sum())} / {int(g['below_999'].sum())} "
                             f"({g['worst_pct'].min():.1f})")
            lines.append(f"| {contender} | {profiles} | {routing} | " + " | ".join(cells) + " |")
        lines.append("")
    return lines


def write_tables(source, target):
    rows, refused = read(source)
    most = int(rows["replications"].max())
    lines = [f"## GPUs, and the worst service's attainment in %, routing {MAIN[0]}, batching "
             f"{MAIN[1]}", "",
             f"{most} replications of {int(rows['measured_s'].max())} s; ± is the half width of the "
             "95 % interval of that service's mean.", ""]
    lines += gpus_table(rows, refused)
    lines += ["## Every routing and batching: services below 99 % / 99.9 % (worst attainment in %)",
              "", f"{most} replications of {int(rows['measured_s'].min())} s.", ""]
    lines += matrix_table(rows)
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def write_figure(source, target):
    style.apply()
    rows, _ = read(source)
    rows = main_rows(rows)
    processes = ordered(rows["arrivals"])
    figure = Figure(figsize=(style.WIDTHS["page"], 3.6))
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03)
    grid = figure.subplots(2, len(processes), sharex="col", sharey="row", squeeze=False,
                           height_ratios=(2, 1))
    handles = {}
    for column, arrivals in enumerate(processes):
        of_process = rows[rows["arrivals"] == arrivals]
        scenarios = ordered(of_process["scenario"])
        misses, gpus = grid[0][column], grid[1][column]
        misses.set_title(arrivals)
        shown = [key for key in SHOWN
                 if ((of_process["contender"] == key[0]) & (of_process["profiles"] == key[1])).any()]
        for place, (contender, profiles) in enumerate(shown):
            i = SHOWN.index((contender, profiles))
            group = of_process[(of_process["contender"] == contender) &
                               (of_process["profiles"] == profiles)].set_index("scenario")
            shift = (place - (len(shown) - 1) / 2) * 0.8 / len(shown)
            places = [scenarios.index(s) + shift for s in group.index]
            missed = (100 - group["worst_pct"]).clip(lower=FEWEST_MISSES_PCT)
            low = (missed - group["worst_half_pct"]).clip(lower=FEWEST_MISSES_PCT)
            high = (missed + group["worst_half_pct"]).clip(upper=100)
            look = style.line_style(i)
            handles[contender] = misses.errorbar(
                places, missed, yerr=[missed - low, high - missed], linestyle="none",
                color=look["color"], marker=look["marker"], markersize=3.5, elinewidth=0.8)
            gpus.bar(places, group["gpus"], 0.8 / len(shown), **style.fill_style(i))
        for limit in (1, 0.1):
            misses.axhline(limit, color=style.GREY, linewidth=0.7, linestyle=(0, (4, 2)))
        misses.set_yscale("log")
        misses.set_ylim(FEWEST_MISSES_PCT * 0.8, 130)
        gpus.set_xticks(range(len(scenarios)), scenarios)
        gpus.set_xlim(-0.6, len(scenarios) - 0.4)
    grid[0][0].set_ylabel("worst service:\nrequests that miss (%)")
    grid[0][0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    grid[1][0].set_ylabel("GPUs")
    style.legend_above(figure, list(handles.values()), list(handles))
    with open(target, "wb") as file:
        file.write(style.rendered(figure, target.rsplit(".", 1)[-1]))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: present.py AUDIT.csv FIGURE.svg|pdf|png")
    write_figure(sys.argv[1], sys.argv[2])
