"""A plan that `tangram plan --out PLAN.json` wrote, in the place of a run's result."""
import json
import os

from tangram_plots.errors import InputError


class PlanFile:
    """Has of a Result what the figure partition_map needs."""

    def __init__(self, path, label=None):
        self.path = path
        self.label = label or os.path.splitext(os.path.basename(path))[0]
        self.kind = "plan"
        self.scenario = {}
        self._names = []
        try:
            with open(path, encoding="utf-8") as file:
                self.plan = json.load(file)
            gpus = self.plan["gpus"]
            for replica in (replica for gpu in gpus for partition in gpu["partitions"]
                            for replica in partition["replicas"]):
                if replica["workload"] == "*":
                    replica["workload"] = "every workload"
                self._names.append(replica["workload"])
            missing = [key for gpu in gpus for key in ("index", "type", "mode") if key not in gpu]
            if missing:
                raise KeyError(missing[0])
        except FileNotFoundError as error:
            raise InputError(f"{path}: there is no such file") from error
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: is not a plan of tangram plan --out ({error})") from error

    def workload_names(self):
        return list(dict.fromkeys(self._names))
