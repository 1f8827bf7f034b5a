"""Metrics, tables and the figure of the study, from the rows of its sweeps."""
import math

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tangram_plots import style
from tangram_plots.statistics import interval


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def jain(values):
    return sum(values)**2 / (len(values) * sum(value**2 for value in values))


def mean_over(runs, name, column):
    return interval([run[name][column] for run in runs])[0]


def cell(value):
    return "-" if math.isnan(value) else f"{value:.3g}"


class Tables:
    """`rows[strategy, mix]` are the runs of a mix in the saturated sweep, one {tenant: row} each."""

    def __init__(self, strategies, models, rows, goodput, aggressor, alone_ms):
        self.strategies = strategies
        self.models = models
        self.rows = rows
        self.goodput = goodput
        self.aggressor = aggressor
        self.alone_ms = alone_ms
        self.mixes = [key[1] for key in rows
                      if key[0] == strategies[0] and isinstance(key[1], tuple)]

    def tenants(self, strategy, mix):
        """(model, mean latency) of each tenant."""
        runs = self.rows[strategy, mix]
        return [(runs[0][name]["model"], mean_over(runs, name, "latency_ms.mean"))
                for name in runs[0]]

    def throughput(self, strategy, mix):
        """STP: the sum of every tenant's throughput over what it has alone on the whole GPU."""
        return sum(self.alone_ms[model] / latency
                   for model, latency in self.tenants(strategy, mix))

    def slowdowns(self, strategy):
        """{(victim, aggressor): slowdown} over the pairs, against alone on the same share."""
        found = {}
        for mix in (mix for mix in self.mixes if len(mix) == 2):
            tenants = self.tenants(strategy, mix)
            for (model, latency), other in zip(tenants, reversed(tenants)):
                alone = mean_over(self.rows["same share", strategy, model], f"a {model}",
                                  "latency_ms.mean")
                key = (model, other[0])
                found[key] = max(found.get(key, 0), latency / alone)
        return found

    def summary(self, strategy):
        fours = [mix for mix in self.mixes if len(mix) == 4]
        same = [mix for mix in fours if len(set(mix)) == 1]
        slowdowns = self.slowdowns(strategy)
        gap = math.nan
        if (strategy, "four of one") in self.rows:
            fours_ms = [t[1] for t in self.tenants(strategy, "four of one")]
            gap = sum(fours_ms) / len(fours_ms) / mean_over(
                self.rows["one batch of four"], "a resnet50", "latency_ms.mean")
        progress = [jain([len(mix) * self.alone_ms[model] / latency for model, latency in
                          self.tenants(strategy, mix)]) for mix in self.mixes]
        good = [self.goodput[strategy, mix] for mix in fours]
        reference = [self.goodput[self.strategies[0], mix] for mix in fours]
        victim = [run["a resnet50"] for run in self.aggressor[strategy, 2]]
        least = min(load for _, load in self.aggressor)
        before = [run["a resnet50"] for run in self.aggressor[strategy, least]]
        shared = self.aggressor[strategy, 0.5]
        attained, at_rest = (interval([r["slo_attainment"] for r in rows])[0]
                             for rows in (victim, before))
        return {
            "E1 STP": geometric_mean([self.throughput(strategy, mix) for mix in self.mixes]),
            "E2 batching gap": gap,
            "E3 goodput99 / exclusive": geometric_mean(
                [max(g, 1e-9) / max(r, 1e-9) for g, r in zip(good, reference)]),
            "P1 CoV": mean_over(shared, "a resnet50", "latency_cov"),
            "P2 p99/p50": mean_over(shared, "a resnet50", "latency_p99_over_p50"),
            "P3 tenant gap %": max((100 * (max(t[1] for t in self.tenants(strategy, mix)) /
                                           min(t[1] for t in self.tenants(strategy, mix)) - 1)
                                    for mix in same), default=math.nan),
            "I2 worst slowdown": max(slowdowns.values()),
            "I2 asymmetry": max(abs(s - slowdowns[j, i]) for (i, j), s in slowdowns.items()),
            "I3 isolation index": 1 - (at_rest - attained) / at_rest if at_rest > 0 else math.nan,
            "I3 victim p99 ms": interval([r["latency_ms.p99"] for r in victim])[0],
            "I5 Jain": min(progress)}

    def write(self, target):
        summaries = {s: self.summary(s) for s in self.strategies}
        names = list(next(iter(summaries.values())))
        lines = ["| | " + " | ".join(self.strategies) + " |", "|-" * (len(self.strategies) + 1) + "|"]
        lines += [f"| {name} | " + " | ".join(cell(summaries[s][name]) for s in self.strategies) +
                  " |" for name in names]
        for strategy in self.strategies:
            slowdowns = self.slowdowns(strategy)
            shown = [m for m in self.models if any(m in pair for pair in slowdowns)]
            lines += ["", f"Slowdown of the row's model beside the column's, {strategy}:", "",
                      "| | " + " | ".join(shown) + " |", "|-" * (len(shown) + 1) + "|"]
            lines += [f"| {i} | " + " | ".join(
                f"{slowdowns[i, j]:.3f}" if (i, j) in slowdowns else "-" for j in shown) + " |"
                for i in shown]
        with open(target, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def draw(self, target):
        """Efficiency against isolation and predictability, and the victim beside its aggressor."""
        style.apply()
        figure = Figure(figsize=(style.WIDTHS["page"], 2.4))
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03)
        isolation, tail, victim = figure.subplots(1, 3)
        handles = []
        for i, strategy in enumerate(self.strategies):
            summary = self.summary(strategy)
            look = style.line_style(i)
            point = {"color": look["color"], "marker": look["marker"], "linestyle": "none",
                     "markersize": 6}
            isolation.plot(summary["I2 worst slowdown"], summary["E1 STP"], **point)
            tail.plot(summary["P2 p99/p50"], summary["E3 goodput99 / exclusive"], **point)
            loads = [key[1] for key in self.aggressor if key[0] == strategy]
            attained = [interval([100 * run["a resnet50"]["slo_attainment"]
                                  for run in self.aggressor[strategy, load]]) for load in loads]
            handles.append(victim.errorbar(
                [100 * load for load in loads], [mean for mean, _ in attained],
                yerr=[half for _, half in attained], elinewidth=0.6, **look))
        isolation.set(xlabel="worst slowdown by one neighbour", ylabel="STP, mean over mixes")
        tail.set(xlabel="victim's p99 / p50, both at half load", ylabel="goodput99 / exclusive's")
        victim.set(xlabel="aggressor's load (% of its capacity)", ylabel="victim attains (%)",
                   ylim=(-3, 103))
        style.legend_above(figure, handles, list(self.strategies))
        with open(target, "wb") as file:
            file.write(style.rendered(figure, target.rsplit(".", 1)[-1]))


def compare(target, rate, blocks):
    """The metrics of both device models side by side, and the worst slowdown of each model."""
    strategies = blocks.strategies
    both = [{s: tables.summary(s) for s in tables.strategies} for tables in (rate, blocks)]
    lines = ["rate / blocks, both at batch 1", "", "| | " + " | ".join(strategies) + " |",
             "|-" * (len(strategies) + 1) + "|"]
    for name in both[1][strategies[0]]:
        cells = [" / ".join(cell(part[s][name]) if s in part else "-" for part in both)
                 for s in strategies]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for what, of in (("Alone on the share of a pair, ms", alone_on_share),
                     ("Worst slowdown beside one neighbour, against alone on the same share",
                      worst_slowdown)):
        lines += ["", what + ":", "", "| | " + " | ".join(strategies) + " |",
                  "|-" * (len(strategies) + 1) + "|"]
        for model in blocks.models:
            cells = [" / ".join(cell(of(tables, s, model)) if s in tables.strategies else "-"
                                for tables in (rate, blocks)) for s in strategies]
            lines.append(f"| {model} | " + " | ".join(cells) + " |")
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def alone_on_share(tables, strategy, model):
    return mean_over(tables.rows["same share", strategy, model], f"a {model}", "latency_ms.mean")


def worst_slowdown(tables, strategy, model):
    return max((s for (victim, _), s in tables.slowdowns(strategy).items() if victim == model),
               default=math.nan)
