"""Prints the size of the C++ sources per folder and names the files that have grown too long to
be read in one go. A report, not a gate: it always succeeds.

Usage: report_sizes.py ROOT
"""

import pathlib
import sys

FOLDERS = ("sim", "profiles", "workloads", "policies", "engine", "validate", "cli", "bench", "tests")
LIMITS = {".h": 250, ".cpp": 500}


def main(root):
    print(f"{'folder':<12}{'files':>7}{'lines':>8}")
    long_files = []
    for folder in FOLDERS:
        sizes = {path.relative_to(root).as_posix(): len(path.read_bytes().splitlines())
                 for path in (root / folder).rglob("*") if path.suffix in LIMITS}
        print(f"{folder:<12}{len(sizes):>7}{sum(sizes.values()):>8}")
        long_files += [(lines, name) for name, lines in sizes.items()
                       if lines > LIMITS[pathlib.PurePosixPath(name).suffix]]
    for lines, name in sorted(long_files, reverse=True):
        print(f"long: {name} has {lines} lines (limit {LIMITS[pathlib.PurePosixPath(name).suffix]})")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
