"""Checks that every tests/**/*_test.cpp is part of the build: a file that no CMakeLists.txt names
would otherwise never run, and nobody would notice.

Usage: check_tests_built.py ROOT COMPILE_COMMANDS.json [PATH...]. Prints the files left out, but for
those that a PATH names (a file, or a folder of them), which this build leaves out on purpose; exits
with 1 when there is any.
"""

import json
import pathlib
import re
import sys

JOINED = re.compile(r'^#include "([^"]+)"$', re.MULTILINE)


def sources_of(command):
    """What one command of the database compiles: a file, or those that CMake has joined in it."""
    path = pathlib.Path(command["directory"], command["file"])
    if path.parent.name == "Unity":
        return [pathlib.Path(name) for name in JOINED.findall(path.read_text(encoding="utf-8"))]
    return [path]


def left_out(root, compile_commands, on_purpose=()):
    """The test sources below the root that are not compiled, relative to it."""
    commands = json.loads(compile_commands.read_text(encoding="utf-8"))
    compiled = {source.resolve() for command in commands for source in sources_of(command)}
    sources = sorted((root / "tests").rglob("*_test.cpp"))
    missing = [source.relative_to(root).as_posix()
               for source in sources if source.resolve() not in compiled]
    return [name for name in missing
            if not any(name == path or name.startswith(path + "/") for path in on_purpose)]


if __name__ == "__main__":
    files = left_out(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:])
    for name in files:
        print(f"{name} is not part of the build")
    sys.exit(1 if files else 0)
