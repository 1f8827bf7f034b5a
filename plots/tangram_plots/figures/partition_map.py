"""The GPUs of a plan, their partitions, and what runs there."""
import json

from matplotlib.patches import Rectangle

from tangram_plots import selection, style
from tangram_plots.errors import InputError

# An instance occupies as many of the eight slots as it has memory slices (docs/reference/plan.md).
MIG_SLOTS = 8
SLOTS_OF_SIZE = {1: 1, 2: 2, 3: 4, 4: 4, 7: 8}
MOST_ROWS = 24  # more GPUs than this are grouped by their layout
ROW_INCHES = 0.34
MOST_STACKED = 4  # replicas of one partition that are drawn one above the other


def draw(results, options):
    result = selection.one_result(results, "partition_map")
    if result.plan is None:
        raise InputError(f"{result.path}: has no /plan: only the result of a run has one")
    gpus = result.plan["gpus"]
    if not gpus:
        raise InputError(f"{result.path}: its plan has no GPUs")
    rows = _rows(gpus)
    names = result.workload_names()  # in the same colours as in the other figures
    planned = {replica["workload"] for gpu in gpus for partition in gpu["partitions"]
               for replica in partition["replicas"]}
    figure, axes = style.new_figure(options.width, 0.45 + ROW_INCHES * len(rows))
    figure.draw_without_rendering()  # so that texts can be measured against the boxes
    for y, (_, gpu) in enumerate(rows):
        axes.add_patch(Rectangle((0, y - 0.4), 1, 0.8, facecolor=style.PALE, edgecolor="#BBBBBB"))
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.set_xlim(0, 1.005)
    axes.set_yticks(range(len(rows)), [_row_name(indices, gpu) for indices, gpu in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.set_xlabel("Share of the GPU (%; MIG: of its eight slots)"
                    if any(gpu["mode"] == "mig" for gpu in gpus) else "Share of the GPU (%)")
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    if options.title:
        axes.set_title(options.title)
    shown = [i for i, name in enumerate(names) if name in planned]
    if len(shown) <= style.MOST_SERIES:
        style.legend_above(figure, [Rectangle((0, 0), 1, 1, **style.fill_style(i)) for i in shown],
                           [names[i] for i in shown])
    figure.draw_without_rendering()
    sms = _most_sms(result)
    for y, (_, gpu) in enumerate(rows):
        for left, width, partition in places(gpu, result.scenario, sms):
            _draw_partition(axes, left, width, y, partition, names)
    return figure


def _rows(gpus):
    """(indices, one of them) per row: a row for each GPU, or for each layout when they are many."""
    if len(gpus) <= MOST_ROWS:
        return [([gpu["index"]], gpu) for gpu in gpus]
    layouts = {}
    for gpu in gpus:
        layout = json.dumps([gpu["type"], gpu["mode"], gpu["partitions"]], sort_keys=True)
        layouts.setdefault(layout, []).append(gpu)
    return [([gpu["index"] for gpu in same], same[0]) for same in layouts.values()]


def _row_name(indices, gpu):
    kind = f"{gpu['type']}, {gpu['mode']}"
    if len(indices) == 1:
        return f"GPU {indices[0]}\n{kind}"
    return f"{len(indices)} GPUs ({indices[0]}, ...)\n{kind}"


def _most_sms(result):
    """SMs of each GPU type: what the scenario says, else the most that the plan uses on one GPU."""
    known = {}
    for gpu in result.plan["gpus"]:
        used = sum(partition.get("sms") or 0 for partition in gpu["partitions"])
        known[gpu["type"]] = max(known.get(gpu["type"], 0), used)
    for described in result.scenario.get("cluster", {}).get("types", []):
        known[described["name"]] = described.get("sms", known.get(described["name"], 0))
    return known


def places(gpu, scenario, sms):
    """(left, width, partition) of each partition of the GPU, in parts of the GPU."""
    left = 0
    found = []
    for partition in gpu["partitions"]:
        if partition.get("size") is not None:
            width = _slots(gpu["type"], partition["size"], scenario) / MIG_SLOTS
            found.append((partition["start"] / MIG_SLOTS, width, partition))
            continue
        if partition.get("share_pct") is not None:
            width = partition["share_pct"] / 100
        elif partition.get("sms") is not None:
            width = partition["sms"] / sms[gpu["type"]]
        else:
            width = 1 / len(gpu["partitions"])
        found.append((left, width, partition))
        left += width
    return found


def _slots(gpu_type, size, scenario):
    for described in scenario.get("cluster", {}).get("types", []):
        if described["name"] == gpu_type:
            for instance in described.get("mig", []):
                if instance["slices"] == size:
                    return instance.get("memory_slices", size)
    return SLOTS_OF_SIZE.get(size, size)


def _partition_name(partition):
    if partition.get("size") is not None:
        return f"{partition['size']}g"
    if partition.get("share_pct") is not None:
        return f"{partition['share_pct']:g} %"
    return f"{partition['sms']} SMs" if partition.get("sms") is not None else ""


def _draw_partition(axes, left, width, y, partition, names):
    replicas = partition["replicas"]
    top, height = y - 0.4, 0.8
    if not replicas:
        axes.add_patch(Rectangle((left, top), width, height, facecolor="white", edgecolor=style.GREY,
                                 linestyle=(0, (3, 2))))
        _write(axes, left, width, y, [f"{_partition_name(partition)} empty", "empty"], style.GREY)
        return
    if len(replicas) > MOST_STACKED:
        axes.add_patch(Rectangle((left, top), width, height, facecolor="white",
                                 edgecolor=style.GREY))
        _write(axes, left, width, y, [f"{len(replicas)} workloads", str(len(replicas))], "black")
        return
    each = height / len(replicas)
    for k, replica in enumerate(replicas):
        i = names.index(replica["workload"])
        axes.add_patch(Rectangle((left, top + k * each), width, each, **style.fill_style(i)))
        if len(replicas) <= 2:
            _write(axes, left, width, top + (k + 0.5) * each, _texts(partition, replica),
                   style.text_on(i), style.COLOURS[i % len(style.COLOURS)],
                   6.5 if len(replicas) == 1 else 5)
    axes.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor="black"))


def _texts(partition, replica):
    """What may stand in a box, the longest first."""
    size = _partition_name(partition)
    batch = f"b{replica['batch']}" if replica.get("batch") else ""
    processes = f"x{replica['processes']}" if replica.get("processes", 1) > 1 else ""
    name = replica["workload"]
    numbers = " ".join(part for part in (batch, processes) if part)
    return [" ".join(part for part in (size, name, numbers) if part),
            " ".join(part for part in (name, numbers) if part), name,
            " ".join(part for part in (size, numbers) if part), size, numbers]


def _write(axes, left, width, y, texts, colour, background=None, size=6.5):
    """Writes the first of the texts that fits into the box."""
    renderer = axes.figure.canvas.get_renderer()
    ends = axes.transData.transform([(left, 0), (left + width, 0)])
    room = ends[1][0] - ends[0][0] - 0.04 * axes.figure.dpi
    # A ground of its own, so that a hatch does not run through the letters.
    ground = {"facecolor": background, "edgecolor": "none", "pad": 0.6} if background else None
    for text in texts:
        drawn = axes.text(left + width / 2, y, text, ha="center", va="center", color=colour,
                          fontsize=size, bbox=ground)
        if text and drawn.get_window_extent(renderer).width <= room:
            return
        drawn.remove()
