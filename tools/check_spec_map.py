#!/usr/bin/env python3
"""Checks that every file, function and test that docs/spec-map.md names exists, and that every row has a test; and the same of the
tests that docs/gossipsub-scenarios.md names.

Each breach is printed as line: text. The exit code is 1 if there is one.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAP = ROOT / "docs" / "spec-map.md"
SCENARIOS = ROOT / "docs" / "gossipsub-scenarios.md"
QUOTED = re.compile(r"`([^`]+)`")
FILE = re.compile(r"^[\w./-]+\.(cpp|hpp|py)$")
TEST = re.compile(r"^[A-Z]\w*\.[A-Za-z]\w*$")
GTEST = re.compile(r"\b(?:TEST|TEST_F|TEST_P)\(\s*(\w+)\s*,\s*(\w+)\s*\)")
PYTEST = re.compile(r"^class (\w+)|^    def (test_\w+)", re.MULTILINE)
UNTESTED = "no test"


def all_tests():
    names = set()
    for folder in ("src", "apps", "tests"):
        for path in (ROOT / folder).rglob("*_test.cpp"):
            names.update(f"{suite}.{name}" for suite, name in GTEST.findall(path.read_text()))
    for path in (ROOT / "tests").rglob("*.py"):
        suite = None
        for found in PYTEST.finditer(path.read_text()):
            suite = found.group(1) or suite
            if found.group(2):
                names.add(f"{suite}.{found.group(2)}")
    return names


def locate(name):
    for path in (ROOT / "src" / name, ROOT / name):
        if path.is_file():
            return path
    return None


def mentions(path, name):
    """Whether the file, or its header or source beside it, has the identifier."""
    identifier = re.compile(rf"\b{re.escape(name)}\b")
    beside = [path.with_suffix(suffix) for suffix in (".cpp", ".hpp")]
    return any(identifier.search(one.read_text()) for one in {path, *beside} if one.is_file())


def check_row(cells, tests):
    files = []
    for name in QUOTED.findall(cells[1]):
        if FILE.match(name):
            path = locate(name)
            if path is None:
                yield f"there is no file {name}"
            else:
                files.append(path)
        elif not any(mentions(path, name.split("::")[-1]) for path in files):
            yield f"{name} is in none of the files of its row"
    if not files:
        yield "the row names no code"
    named = QUOTED.findall(cells[2])
    for name in named:
        if not TEST.match(name):
            yield f"{name} has not the form of a test, Suite.name"
        elif name not in tests:
            elsewhere = [test for test in sorted(tests) if test.split(".")[1] == name.split(".")[1]]
            yield f"there is no test {name}" + (f", but {', '.join(elsewhere)}" if elsewhere else "")
    if not named and UNTESTED not in cells[2]:
        yield f"the row names no test; one without says so: {UNTESTED}"


def check_scenarios(tests):
    """Rows of the scenarios that name a test that does not exist, or none without a reason."""
    for number, line in enumerate(SCENARIOS.read_text().splitlines(), 1):
        if not line.startswith("|") or line.startswith(("|-", "| theirs |")):
            continue
        ours = line.strip().strip("|").split("|")[-1]
        named = [name for name in QUOTED.findall(ours) if TEST.match(name)]
        yield from ((number, f"there is no test {name}") for name in named if name not in tests)
        if not named and f"{UNTESTED}: " not in ours:
            yield number, f"the row names no test; one without says why: {UNTESTED}: …"


def main():
    tests = all_tests()
    rows, held, breaches, in_map = 0, set(), [], False
    for number, line in enumerate(MAP.read_text().splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| rule | code | test |"):
            in_map = True
        elif not line.startswith("|"):
            in_map = False
            breaches += [(number, f"there is no file {name}") for name in QUOTED.findall(line) if FILE.match(name) and not locate(name)]
        elif in_map and not line.startswith("|-"):
            rows += 1
            held.update(QUOTED.findall(cells[2]) if len(cells) == 3 else [])
            breaches += [(number, text) for text in (check_row(cells, tests) if len(cells) == 3 else ["not three cells"])]
        elif not in_map:
            breaches += [(number, f"there is no file {name}") for name in QUOTED.findall(line) if FILE.match(name) and not locate(name)]
    for number, text in breaches:
        print(f"docs/spec-map.md:{number}: {text}")
    scenarios = list(check_scenarios(tests))
    for number, text in scenarios:
        print(f"docs/gossipsub-scenarios.md:{number}: {text}")
    print(f"spec map: {rows} rules held by {len(held)} tests, {len(breaches) + len(scenarios)} breaches")
    return 1 if breaches or scenarios or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
