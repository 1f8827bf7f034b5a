"""Reading of result files: what `tangram run` and `tangram sweep` write, behind one interface."""
import dataclasses
import json
import os

import h5py
import numpy
import pandas

from tangram_plots.errors import InputError

KINDS = {"tangram result": "run", "tangram sweep": "sweep"}
SCHEMA = 1


def _text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _column(data):
    values = data[:]
    if values.dtype.kind in "SO":
        return [_text(value) for value in values]
    return values


def _parsed(text):
    """The JSON in the text, or None."""
    try:
        return json.loads(text)
    except ValueError:
        return None


@dataclasses.dataclass(frozen=True)
class Axis:
    """What a sweep changed; `column` is its place in the tables."""
    pointer: str
    column: str


class Result:
    """A result file, opened for each table that is asked for.

    `rows` has a row per run: `point`, `replication`, `seed`, the metrics with the names of the file,
    and for each axis its JSON text under the axis' `column`. `workloads` has a row per run and
    workload: `row` (of `rows`), `number` (of the workload), `name`, `model`, `slo_ms` and metrics.
    """

    def __init__(self, path, label=None):
        self.path = path
        self.label = label or os.path.splitext(os.path.basename(path))[0]
        try:
            with h5py.File(path, "r") as file:
                self._read(file)
        except (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: {self._reason(error)}") from error

    def _reason(self, error):
        if os.path.isdir(self.path):
            return "is a folder"
        if not os.path.exists(self.path):
            return "there is no such file"
        if not os.access(self.path, os.R_OK):
            return "cannot be read: permission denied"
        # h5py puts its own words in quotes around those of HDF5.
        return f"is not a result file, or a broken one ({str(error).strip(chr(34))})"

    def _read(self, file):
        attributes = {name: value if isinstance(value, numpy.integer) else _text(value)
                      for name, value in file.attrs.items()}
        self.kind = KINDS.get(attributes.get("format"))
        if self.kind is None:
            raise InputError(f"{self.path}: is not the result of tangram run or tangram sweep")
        if int(attributes["schema"]) > SCHEMA:
            raise InputError(f"{self.path}: has schema {attributes['schema']}; this version reads "
                             f"{SCHEMA}: made by a newer tangram")
        self.attributes = attributes
        self.scenario_text = _text(file["scenario"][()])
        self.scenario = _parsed(self.scenario_text) or {}
        self.sweep_text = _text(file["sweep"][()]) if "sweep" in file else None
        self.sweep = _parsed(self.sweep_text or "") or {}
        self.plan = _parsed(_text(file["plan"][()])) if "plan" in file else None
        self.notes = _column(file["notes"]) if "notes" in file else []
        self.executors = _column(file["executors"]) if "executors" in file else []
        self.tables = sorted(name for name in file if isinstance(file[name], h5py.Group))
        pointers = _column(file["axes"]) if "axes" in file else []
        self.axes = [Axis(pointer, f"axis.{k}") for k, pointer in enumerate(pointers)]
        self.searched = self.sweep.get("search", {}).get("pointer")
        self.rows = self._points(file)
        self.workloads = self._workloads(file)

    def _points(self, file):
        table = self._table(file, "points")
        if "point" not in table:
            table.insert(0, "point", 0)  # a run: all its rows are replications of one point
        for axis in self.axes:
            table[axis.column] = table.pop(axis.column + ".text")
        return table

    def _workloads(self, file):
        table = self._table(file, "workloads").rename(columns={"point": "row"})
        table.insert(1, "number", table.groupby("row").cumcount())
        return table

    @staticmethod
    def _table(file, name):
        return pandas.DataFrame({key: _column(data) for key, data in file[name].items()
                                 if isinstance(data, h5py.Dataset)})

    def table(self, name):
        """Any table of the file; its `point` column, where there is one, is the row of `rows`."""
        with h5py.File(self.path, "r") as file:
            if name not in file:
                raise InputError(f"{self.path}: has no /{name}")
            return self._table(file, name)

    def has(self, name):
        """Whether the file has this table with at least one row."""
        with h5py.File(self.path, "r") as file:
            return name in file and any(len(data) > 0 for data in file[name].values())

    def workload_names(self):
        return list(dict.fromkeys(self.workloads["name"]))

    def varying_axes(self):
        """The axes that have more than one value."""
        return [axis for axis in self.axes if self.rows[axis.column].nunique() > 1]
