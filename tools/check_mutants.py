#!/usr/bin/env python3
"""Changes one condition at a time in the parts whose mistakes cost most, and sees whether the tests notice.

The mutants follow from the sources: every place where a rule below applies is a candidate, and of each area's candidates as many as its
quota are taken, spread over the files by --seed. Each is built in a copy of the tree under build/mutants and its area's tests run; then the
whole program's. At least 95% have to be killed. Mutants that change nothing that could be told are listed in EQUIVALENT with the reason.
"""

import argparse
import dataclasses
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutants"
TREE, BUILD = WORK / "tree", WORK / "build"
LIMIT = 120  # seconds for one run of the tests; a mutant that takes longer hangs, and is killed
WANTED = 0.95

# (area, test program, filter of its own tests, files, how many)
AREAS = [
    ("block rules", "unit_opstack_rules", "BlockRules*", ["src/opstack/rules/block_rules.cpp"], 18),
    ("sync scheduler", "unit_opstack_sync", "Sync*:Follower*",
     ["src/opstack/sync/engine/sync_scheduler.cpp", "src/opstack/sync/engine/sync_scheduler_plan.cpp"], 18),
    ("yamux window", "unit_libp2p_protocols", "Yamux*",
     ["src/libp2p/protocols/yamux/session.cpp", "src/libp2p/protocols/yamux/session_streams.cpp"], 18),
    ("mesh back-off", "unit_libp2p_protocols", "Gossipsub*:Backoff*",
     ["src/libp2p/protocols/gossipsub/backoff.cpp", "src/libp2p/protocols/gossipsub/router_control.cpp", "src/libp2p/protocols/gossipsub/router_heartbeat.cpp"], 18),
]

# Each: what it is called, what it finds in a line, what stands there instead.
RULES = [
    ("boundary", re.compile(r"(?<=[\w)\]]) < (?=[\w(*-])"), " <= "),
    ("boundary", re.compile(r"(?<=[\w)\]]) <= (?=[\w(*-])"), " < "),
    ("boundary", re.compile(r"(?<=[\w)\]]) > (?=[\w(*-])"), " >= "),
    ("boundary", re.compile(r"(?<=[\w)\]]) >= (?=[\w(*-])"), " > "),
    ("equality", re.compile(r" == "), " != "),
    ("equality", re.compile(r" != "), " == "),
    ("connective", re.compile(r" && "), " || "),
    ("connective", re.compile(r" \|\| "), " && "),
    ("negation", re.compile(r"(?<=if \()!(?=[\w(])"), ""),
    ("negation", re.compile(r"if \((?=[a-z_]+[\w.>-]*\()"), "if (!"),
    ("sign", re.compile(r"(?<=[\w)\]]) \+ (?=[\w(])"), " - "),
    ("sign", re.compile(r" \+= "), " -= "),
    ("constant", re.compile(r"\b(true|false)\b"), {"true": "false", "false": "true"}),
]

# (file, the line as it stands without indentation, what it becomes): why nothing can tell the two apart.
EQUIVALENT = {
    ("src/libp2p/protocols/gossipsub/backoff.cpp",
     "[](const auto& a, const auto& b) { return a.second < b.second; }));",
     "[](const auto& a, const auto& b) { return a.second <= b.second; }));"):
        "of two that end at the same time either may go",
}


@dataclasses.dataclass(frozen=True)
class Mutant:
    area: str
    file: str
    line: int
    rule: str
    before: str
    after: str

    def key(self):
        return (self.file, self.before.strip(), self.after.strip())


def code_lines(text):
    """Lines that may be changed: no comments, no includes, nothing that only says something."""
    for number, line in enumerate(text.splitlines()):
        stripped = line.strip()
        if not stripped or stripped.startswith(("//", "#", "namespace", "using", "template", "static_assert", "constexpr")):
            continue
        yield number, line


def candidates(area, file):
    for number, line in code_lines((ROOT / file).read_text()):
        code = re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: "\0" * len(m.group(0)), line.split("  //")[0])  # not within texts
        for rule, pattern, instead in RULES:
            for found in pattern.finditer(code):
                put = instead[found.group(0)] if isinstance(instead, dict) else instead
                yield Mutant(area, file, number, rule, line, line[:found.start()] + put + line[found.end():])


def choose(area, files, quota, seed):
    draw = random.Random(f"{seed}/{area}")
    found = [list(candidates(area, file)) for file in files]
    for one in found:
        draw.shuffle(one)
    chosen, lines = [], set()
    while len(chosen) < quota and any(found):
        for one in found:
            while one and (one[-1].file, one[-1].line) in lines:  # one change for each line
                one.pop()
            if one and len(chosen) < quota:
                chosen.append(one.pop())
                lines.add((chosen[-1].file, chosen[-1].line))
    return chosen


def run(*command, limit=1200):
    try:
        return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=limit)
    except subprocess.TimeoutExpired:
        return None


def build(program):
    return run("cmake", "--build", BUILD, "--target", program).returncode == 0


def passes(program, filter_):
    done = run(BUILD / program, f"--gtest_filter={filter_}", "--gtest_brief=1", "--gtest_fail_fast", limit=LIMIT)
    return done is not None and done.returncode == 0


def judge(mutant, program, filter_):
    path = TREE / mutant.file
    lines = path.read_text().splitlines(keepends=True)
    kept = lines[mutant.line]
    lines[mutant.line] = mutant.after + "\n"
    path.write_text("".join(lines))
    try:
        if not build(program):
            return "does not compile"
        return "survived" if passes(program, filter_) and passes(program, "*") else "killed"
    finally:
        lines[mutant.line] = kept
        path.write_text("".join(lines))


def prepare(programs):
    shutil.rmtree(TREE, ignore_errors=True)
    # With times of its own: an object of the last mutant of a run before would pass as newer than the source that it was made from.
    shutil.copytree(ROOT, TREE, ignore=shutil.ignore_patterns("build*", ".git", ".cache", "__pycache__"), copy_function=shutil.copyfile)
    done = run("cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0",
               "-DOPP2P_TESTS=ON")
    if done.returncode != 0:
        sys.exit(done.stdout[-2000:])
    for program in programs:
        if not build(program) or not passes(program, "*"):
            sys.exit(f"{program} does not pass without any change")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", default="1", help="which of the candidates are taken")
    parser.add_argument("--area", action="append", help="only this one: " + ", ".join(area[0] for area in AREAS))
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    parser.add_argument("--json", type=pathlib.Path, help="keep the verdicts in this file")
    options = parser.parse_args()
    areas = [area for area in AREAS if not options.area or area[0] in options.area]
    if not options.list:
        prepare({area[1] for area in areas})
    verdicts = []
    for name, program, filter_, files, quota in areas:
        for mutant in choose(name, files, quota, options.seed):
            started = time.monotonic()
            reason = EQUIVALENT.get(mutant.key())
            verdict = "listed" if options.list else "equivalent" if reason else judge(mutant, program, filter_)
            verdicts.append((mutant, verdict))
            print(f"{verdict:<17}{name}: {mutant.file}:{mutant.line + 1} {mutant.before.strip()}  ->  {mutant.after.strip()}"
                  + (f"  ({reason})" if reason else "") + f"  [{time.monotonic() - started:.0f} s]", flush=True)
    counted = [verdict for _, verdict in verdicts if verdict in ("killed", "survived")]
    killed = counted.count("killed")
    if options.json:
        options.json.write_text(json.dumps([{**dataclasses.asdict(mutant), "verdict": verdict} for mutant, verdict in verdicts], indent=1))
    print(f"{len(counted)} mutants, {killed} killed, {len(counted) - killed} survived; "
          f"{sum(v == 'equivalent' for _, v in verdicts)} equivalent, {sum(v == 'does not compile' for _, v in verdicts)} did not compile")
    return 0 if options.list or counted and killed >= WANTED * len(counted) else 1


if __name__ == "__main__":
    sys.exit(main())
