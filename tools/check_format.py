#!/usr/bin/env python3
"""Checks that every C++ file is formatted as .clang-format says and has no line above 120 columns. Prints the files that are not.

tools/check_format.py --write formats them. The formatter must be clang-format-19 (tools/setup test installs it), because other versions break
lines at other places.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "apps", "sim", "bench", "fuzz", "tests", "examples", "interop")
FORMATTER = "clang-format-19"
COLUMNS = 120
AT_ONCE = 50  # files for one run of the formatter


def sources():
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.[ch]pp") if "node_modules" not in path.parts)


def unformatted(files):
    """The files that the formatter would change."""
    found = set()
    for start in range(0, len(files), AT_ONCE):
        done = subprocess.run([FORMATTER, "--dry-run", *files[start:start + AT_ONCE]], stderr=subprocess.PIPE, text=True)
        found.update(pathlib.Path(name) for name in re.findall(r"^(.*?):\d+:\d+: warning: ", done.stderr, re.MULTILINE))
        if done.returncode != 0:
            sys.exit(done.stderr)
    return sorted(found)


def long_lines(files):
    """Lines beyond the limit, but for texts in R"(…)", which cannot be broken."""
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if len(line) > COLUMNS and 'R"' not in line:
                yield f"{path.relative_to(ROOT)}:{number}: {len(line)} columns, at most {COLUMNS} are allowed"


def main():
    if shutil.which(FORMATTER) is None:
        print(f"format: skipped, there is no {FORMATTER} (tools/setup test installs it)")
        return 1 if os.environ.get("CI") == "true" else 0
    files = sources()
    if "--write" in sys.argv[1:]:
        subprocess.run([FORMATTER, "-i", *files], check=True)
    wrong = [f"{path.relative_to(ROOT)}: not formatted; tools/check_format.py --write does it" for path in unformatted(files)]
    wrong += long_lines(files)
    for line in wrong:
        print(line)
    print(f"format: {len(files)} files, {len(wrong)} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
