"""Checks every #include "..." of the product's folders against the table of who may include whom.

Usage: check_layers.py ROOT. Prints one line per fault; exits with 1 when there is any.
"""

import pathlib
import re
import sys

POLICY_WORLD = {"sim/core", "profiles", "workloads", "policies"}
RUNTIME = POLICY_WORLD | {"sim/scenario", "sim/results"}
MAY_INCLUDE = {
    "sim/core": set(),
    "profiles": {"sim/core"},
    "workloads": {"sim/core"},
    "policies": {"sim/core", "profiles", "workloads"},
    "sim/scenario": POLICY_WORLD,
    "sim/results": POLICY_WORLD,
    "sim": RUNTIME,
    "engine": RUNTIME,
    "validate": RUNTIME | {"sim", "engine"},
    "cli": RUNTIME | {"sim", "engine", "validate"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
SOURCES = {".h", ".cpp", ".cu", ".cuh"}


def folder_of(path):
    """The innermost folder of the table that holds the path, or None."""
    names = [str(parent) for parent in pathlib.PurePosixPath(path).parents]
    return next((name for name in names if name in MAY_INCLUDE), None)


def fault_of(folder, included):
    """What is wrong when a file of this folder includes that path; None when nothing is."""
    target = folder_of(included)
    if target is None or ".." in pathlib.PurePosixPath(included).parts:
        return "includes start at the root, with a folder of the table"
    if target == folder:
        return None
    if target not in MAY_INCLUDE[folder]:
        return f"{folder} may include: {', '.join(sorted(MAY_INCLUDE[folder])) or 'nothing'}"
    if "detail" in pathlib.PurePosixPath(included).parts:
        return f"detail/ is for {target} alone"
    return None


def check(root):
    """Yields "FILE:LINE: ..." for every forbidden include below the root."""
    top_folders = sorted({folder.split("/")[0] for folder in MAY_INCLUDE})
    for path in (p for top in top_folders for p in sorted((root / top).rglob("*"))):
        if path.suffix not in SOURCES:
            continue
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            if fault := fault_of(folder_of(name), match[1]):
                line = text.count("\n", 0, match.start(1)) + 1
                yield f'{name}:{line}: "{match[1]}" is forbidden here; {fault}'


if __name__ == "__main__":
    faults = list(check(pathlib.Path(sys.argv[1])))
    print("\n".join(faults) or "every include fits the table")
    sys.exit(1 if faults else 0)
