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
MATRIX_KEYS = ("arrivals", "contender", "profiles", "routing", "batching")
MATRIX_SHOWN = (("shipped", "as is"), ("optimal", "clean"), ("tangram 99 %", "clean"))


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


def matrix(rows):
    """Every plan under every routing and batching, over all scenarios: the mean of the scenarios'
    attained requests, and the worst service of all; half widths are those of 95 % intervals, of a
    mean at most (the scenarios share seeds, so that their errors may go the same way)."""
    shortest = rows[rows["measured_s"] == rows["measured_s"].min()]
    combined = []
    for key, group in shortest.groupby(list(MATRIX_KEYS), sort=False):
        worst = group.loc[group["worst_pct"].idxmin()]
        combined.append(dict(zip(MATRIX_KEYS, key)) | {
            "scenarios": len(group), "services": int(group["services"].sum()),
            "mean_pct": group["mean_pct"].mean(),
            "mean_half_pct": group["mean_half_pct"].mean(),
            "worst_scenario": worst["scenario"], "worst_service": worst["worst_service"],
            "worst_pct": worst["worst_pct"], "worst_half_pct": worst["worst_half_pct"],
            "below_99": int(group["below_99"].sum()), "below_999": int(group["below_999"].sum())})
    return pandas.DataFrame(combined)


def matrix_table(rows):
    """Services below 99 % and 99.9 % over all scenarios, and the worst one."""
    combined = matrix(rows)
    lines = []
    for arrivals in ordered(combined["arrivals"]):
        of_process = combined[combined["arrivals"] == arrivals]
        batchings = ordered(of_process["batching"])
        lines += [f"### {arrivals}", "", "| plan | rows | routing | " + " | ".join(batchings) + " |",
                  "|-|-|-|" + "-|" * len(batchings)]
        for (contender, profiles, routing), group in of_process.groupby(
                ["contender", "profiles", "routing"], sort=False):
            of_batching = group.set_index("batching")
            cells = [f"{row['below_99']} / {row['below_999']} ({row['worst_pct']:.1f} ± "
                     f"{row['worst_half_pct']:.1f})"
                     for row in (of_batching.loc[batching] for batching in batchings)]
            lines.append(f"| {contender} | {profiles} | {routing} | " + " | ".join(cells) + " |")
        lines.append("")
    return lines


def write_matrix(source, table, figure_file):
    """The matrix as CSV, and its figure."""
    combined = matrix(read(source)[0])
    combined.to_csv(table, index=False, float_format="%.4f", lineterminator="\n")
    style.apply()
    processes = ordered(combined["arrivals"])
    shown = [key for key in MATRIX_SHOWN
             if ((combined["contender"] == key[0]) & (combined["profiles"] == key[1])).any()]
    batchings = ordered(combined["batching"])
    routings = ordered(combined["routing"])
    figure = Figure(figsize=(style.WIDTHS["page"], 1.2 + 1.2 * len(shown)))
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03)
    grid = figure.subplots(len(shown), len(processes), sharex=True, sharey=True, squeeze=False)
    handles = {}
    for line, (contender, profiles) in zip(grid, shown):
        for axes, arrivals in zip(line, processes):
            here = combined[(combined["arrivals"] == arrivals) &
                            (combined["contender"] == contender) &
                            (combined["profiles"] == profiles)]
            for place, routing in enumerate(routings):
                group = here[here["routing"] == routing].set_index("batching")
                places = [batchings.index(name) + (place - (len(routings) - 1) / 2) * 0.18
                          for name in group.index]
                look = style.line_style(place)
                handles[routing] = draw_misses(axes, places, group["mean_pct"],
                                               group["mean_half_pct"], look)
            axes.axhline(1, color=style.GREY, linewidth=0.7, linestyle=(0, (4, 2)))
            axes.set_xticks(range(len(batchings)), [name.replace(" ", "\n", 1) for name in batchings])
            if contender == shown[0][0]:
                axes.set_title(arrivals)
        line[0].set_ylabel(f"{contender}:\nrequests that miss (%)")
    scale_misses(grid[0][0])
    style.legend_above(figure, list(handles.values()), list(handles))
    save(figure, figure_file)


def write_tables(source, target):
    rows, refused = read(source)
    most = int(rows["replications"].max())
    lines = [f"## GPUs, and the worst service's attainment in %, routing {MAIN[0]}, batching "
             f"{MAIN[1]}", "",
             f"{most} replications of {int(rows['measured_s'].max())} s; ± is the half width of the "
             "95 % interval of that service's mean.", ""]
    lines += gpus_table(rows, refused)
    lines += ["## Every routing and batching: services below 99 % / 99.9 % (the worst one's attainment in %)",
              "", f"{most} replications of {int(rows['measured_s'].min())} s.", ""]
    lines += matrix_table(rows)
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def draw_misses(axes, places, attained_pct, half_pct, look):
    missed = (100 - attained_pct).clip(lower=FEWEST_MISSES_PCT)
    low = (missed - half_pct).clip(lower=FEWEST_MISSES_PCT)
    high = (missed + half_pct).clip(upper=100)
    return axes.errorbar(places, missed, yerr=[missed - low, high - missed], linestyle="none",
                         color=look["color"], marker=look["marker"], markersize=3.5, elinewidth=0.8)


def scale_misses(axes):
    axes.set_yscale("log")
    axes.set_ylim(FEWEST_MISSES_PCT * 0.8, 130)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def save(figure, target):
    with open(target, "wb") as file:
        file.write(style.rendered(figure, target.rsplit(".", 1)[-1]))


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
            handles[contender] = draw_misses(misses, places, group["worst_pct"],
                                             group["worst_half_pct"], style.line_style(i))
            gpus.bar(places, group["gpus"], 0.8 / len(shown), **style.fill_style(i))
        for limit in (1, 0.1):
            misses.axhline(limit, color=style.GREY, linewidth=0.7, linestyle=(0, (4, 2)))
        scale_misses(misses)
        gpus.set_xticks(range(len(scenarios)), scenarios)
        gpus.set_xlim(-0.6, len(scenarios) - 0.4)
    grid[0][0].set_ylabel("worst service:\nrequests that miss (%)")
    grid[1][0].set_ylabel("GPUs")
    style.legend_above(figure, list(handles.values()), list(handles))
    save(figure, target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: present.py AUDIT.csv FIGURE.svg|pdf|png")
    write_figure(sys.argv[1], sys.argv[2])
