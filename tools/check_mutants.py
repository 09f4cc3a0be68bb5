#!/usr/bin/env python3
"""Changes the production code at single places, and sees whether the tests notice.

All of src/ is drawn from. A seed decides which places are taken (--seed; the seeds are printed); the rules are in
tools/mutants/candidates.py. All changes are built into one copy of the tree, in build/mutants, as switches that an environment variable
turns on, with the assertions off. Each is then run alone against the tests, until one fails: those of its own folder first, then all others,
the corpora of the fuzz targets among them, and those that are left at the end against the simulation, which takes longest.
At least 95% have to be killed in engines (pure files) and 90% in drivers (all others). Changes that nothing can tell are listed with the
reason in tools/mutants/equivalents.py and do not count.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools" / "mutants")]

import candidates  # noqa: E402
import check_layers  # noqa: E402
from equivalents import EQUIVALENTS  # noqa: E402

WORK = ROOT / "build" / "mutants"
TREE, BUILD = WORK / "tree", WORK / "build"
HEADER = TREE / "opp2p_mutant.hpp"
SPARE = 1.5  # so many times the changes that are wanted are drawn, because some do not compile
WANTED = {"engine": 0.95, "driver": 0.90}
NOT_PRODUCTION = re.compile(r"_(test|fuzz|corpus|bench)\.(cpp|hpp)$|_test_\w+\.hpp$|/testing/")
CORPORA = "fuzz/fuzz_replay"
OTHERS = ["apps/opp2p/apps_test", "tests/vectors_test", CORPORA]
SLOW = ["tests/sim_test"]


@dataclasses.dataclass
class Mutant:
    number: int
    seed: str
    kind: str
    change: candidates.Change
    ordinal: int  # among equal changes of the file
    verdict: str = "drawn"
    by: str = ""
    seconds: float = 0


def run(*command, limit=None, environment=None):
    """What the command answers, or None when it takes longer than `limit` seconds."""
    try:
        return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=limit, env={**os.environ, **(environment or {})})
    except subprocess.TimeoutExpired:
        return None


# ---- drawing ----

@functools.cache
def production():
    """{name: ("engine" or "driver", text)} of every file that is drawn from, read once: a file that is edited meanwhile changes nothing."""
    folders = {folder.path: folder for folder in check_layers.read_folders()}
    return {path.relative_to(ROOT).as_posix(): ("engine" if folders[path.parent].is_pure(path) else "driver", path.read_text())
            for path in sorted((ROOT / "src").rglob("*.[ch]pp")) if not NOT_PRODUCTION.search(path.as_posix())}


@functools.cache
def places():
    """Every change that could be made: (kind, change, its number among equal ones of the file)."""
    found = []
    for name, (kind, text) in production().items():
        seen = collections.Counter()
        for change in candidates.candidates(name, text):
            found.append((kind, change, seen[change.key()]))
            seen[change.key()] += 1
    return found


def draw(seed, count, only):
    """The mutants of one seed, in the order in which they are taken: one for each line at most.

    The order comes from hashes of the places, so that a change of the code leaves what is drawn elsewhere as it is.
    """
    def order(place):
        _, change, ordinal = place
        return hashlib.sha256("\0".join([seed, *change.key(), str(ordinal)]).encode()).digest()
    lines, drawn = set(), []
    for kind, change, ordinal in sorted(places(), key=order):
        if only and not any(change.file.startswith(prefix) for prefix in only):
            continue
        if (change.file, change.line) not in lines and len(drawn) < count:
            lines.add((change.file, change.line))
            drawn.append(Mutant(0, seed, kind, change, ordinal))
    return drawn


def drawn_before(path):
    """The mutants of a file that --json wrote. Those that survived and those that are left are to be judged, where they stand today."""
    now = {(change.key(), ordinal): (kind, change) for kind, change, ordinal in places()}
    mutants = []
    for entry in json.loads(path.read_text()):
        then = candidates.Change(**entry.pop("change"))
        mutant = Mutant(**entry, change=then)
        if mutant.verdict in ("survived", "drawn"):
            kind, change = now.get((then.key(), mutant.ordinal), (mutant.kind, None))
            mutant.kind, mutant.change = kind, change or then
            mutant.verdict = "drawn" if change else "gone from the code"
        mutants.append(mutant)
    return mutants


def rounds(mutants):
    """Sets of mutants that do not overlap, each of which can be built at once."""
    left = list(mutants)
    while left:
        taken, later, ranges = [], [], {}
        for mutant in left:
            change = mutant.change
            held = ranges.setdefault(change.file, [])
            if all(change.end <= begin or end <= change.begin for begin, end in held):
                held.append((change.begin, change.end))
                taken.append(mutant)
            else:
                later.append(mutant)
        yield taken
        left = later


# ---- building ----

def write_changed(path, contents):
    if not path.is_file() or path.read_bytes() != contents:
        path.write_bytes(contents)


def write_tree(mutants):
    by_file = {}
    for mutant in mutants:
        by_file.setdefault(mutant.change.file, []).append((mutant.number, mutant.change))
    for name, (_, text) in production().items():
        write_changed(TREE / name, candidates.with_switches(text, by_file.get(name, [])).encode())


def copy_tree():
    """The tree as it is today. What has not changed since the last time keeps its time, and is not built again."""
    ignored = shutil.ignore_patterns("build*", ".git", ".cache", "__pycache__", "node_modules", "target")
    def copy(source, target):
        if pathlib.Path(source).is_file() and source not in sources:
            write_changed(pathlib.Path(target), pathlib.Path(source).read_bytes())
    sources = {str(ROOT / name) for name in production()}  # write_tree writes these
    for path in sorted(TREE.rglob("*"), reverse=True):
        if path != HEADER and not (ROOT / path.relative_to(TREE)).exists():
            path.rmdir() if path.is_dir() else path.unlink()
    shutil.copytree(ROOT, TREE, ignore=ignored, copy_function=copy, dirs_exist_ok=True)
    for name, (_, text) in production().items():
        if not (TREE / name).is_file():
            (TREE / name).write_text(text)
    write_changed(HEADER, candidates.HEADER.encode())
    done = run("cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DOPP2P_ASSERTIONS=OFF",
               "-DOPP2P_TESTS=ON", f"-DCMAKE_CXX_FLAGS_DEBUG=-O1 -include {HEADER}")
    if done.returncode != 0:
        sys.exit(done.stdout[-2000:])


def refused(output, mutants):
    """The mutants that the compiler complains about."""
    lines = {(pathlib.Path(found.group(1)).resolve(), int(found.group(2)))
             for found in re.finditer(r"(\S+?\.[ch]pp):(\d+)[:,]", output)}
    failed = output.split("FAILED: ")[1:]
    guilty = [mutant for mutant in mutants
              if any((TREE / mutant.change.file, line) in lines for line in
                     range(mutant.change.line, mutant.change.line + 1 + mutant.change.expression.count("\n")))]
    if guilty:
        return guilty
    files = {name for block in failed for name in re.findall(r"src/\S+?\.[ch]pp", block[:4000])}
    return [mutant for mutant in mutants if mutant.change.file in files]


def compile_commands():
    """{file in the tree: (folder, words)} of how each source is only checked, without the precompiled headers, which are not built yet."""
    commands = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        words = words[next(at for at, word in enumerate(words) if word.endswith(("c++", "g++"))):]
        for unwanted in [at for at, word in enumerate(words) if word.endswith("cmake_pch.hxx")][::-1]:
            del words[unwanted - 1:unwanted + 1]
        del words[words.index("-o"):words.index("-o") + 2]
        words = [word for word in words if word not in ("-c", "-Winvalid-pch", entry["file"])]
        commands.setdefault(pathlib.Path(entry["file"]), (entry["directory"], [*words, "-fsyntax-only", "-x", "c++"]))
    return commands


def without_refused(mutants, workers):
    """The mutants without those that their own file does not compile with. A header that changes has much built again: this is quicker."""
    commands = compile_commands()
    by_file = {}
    for mutant in mutants:
        by_file.setdefault(mutant.change.file, []).append(mutant)

    def settle(file):
        path, here = TREE / file, by_file[file]
        near = [source for source in commands if source.parent == path.parent] or list(commands)
        folder, words = commands[path if path in commands else near[0]]
        while here:
            write_changed(path, candidates.with_switches(production()[file][1], [(mutant.number, mutant.change) for mutant in here]).encode())
            done = subprocess.run([*words, path], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
            if done.returncode == 0:
                return
            for mutant in refused("FAILED: " + done.stdout, here) or here:
                mutant.verdict = "does not compile"
            here = [mutant for mutant in here if mutant.verdict == "drawn"]

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(settle, by_file))
    return [mutant for mutant in mutants if mutant.verdict == "drawn"]


def build(mutants, programs, workers, compiled_before):
    """Builds all that compile; marks the others."""
    left = mutants if compiled_before else without_refused(mutants, workers)
    while True:
        write_tree(left)
        done = run("cmake", "--build", BUILD, "--target", *(program.rsplit("/")[-1] for program in programs), "--", "-k", "0")
        if done.returncode == 0:
            return left
        guilty = refused(done.stdout, left)
        if not guilty:
            sys.exit(f"the tree does not build:\n{done.stdout[-4000:]}")
        for mutant in guilty:
            mutant.verdict = "does not compile"
        left = [mutant for mutant in left if mutant not in guilty]


# ---- judging ----

def test(program, number, limit):
    # Death tests see that an assertion fails, and there are none.
    arguments = ["--gtest_brief=1", "--gtest_fail_fast", "--gtest_filter=-*DeathTest.*"]
    if program == CORPORA:
        arguments = [ROOT / "fuzz" / "corpus", 100]
    return run(BUILD / program, *arguments, limit=limit, environment={"OPP2P_MUTANT": str(number)})


def in_order(file, programs):
    """The programs, those nearest to the file first: its folder's, its product's above it, then the rest from the bottom up."""
    parts = pathlib.Path(file).parts
    own, product = f"unit_{parts[1]}_{parts[2]}", f"unit_{parts[1]}_"
    def distance(program):
        name = program.rsplit("/")[-1]
        return 0 if name == own else 1 if name.startswith(product) else 2
    return sorted(programs, key=distance)


def judge(mutant, programs, limits):
    started = time.monotonic()
    mutant.verdict = "survived"
    for program in in_order(mutant.change.file, programs):
        done = test(program, mutant.number, limits[program])
        if done is None or done.returncode != 0:
            failed = re.findall(r"^\[  FAILED  \] (\S+?\.\S+)", done.stdout, re.MULTILINE) if done else []
            mutant.verdict = "killed"
            mutant.by = f"{program.rsplit('/')[-1]}: " + (failed[0] if failed else "crash" if done else "takes too long")
            break
    mutant.seconds += time.monotonic() - started
    return mutant


def baseline(programs, workers):
    """How long each program may take: all pass without any change, beside as many others as later."""
    def measure(program):
        started = time.monotonic()
        done = test(program, 0, 600)
        if done is None or done.returncode != 0:
            told = "\n".join(line for line in done.stdout.splitlines() if not line.endswith(": Skipped")) if done else "it takes too long"
            sys.exit(f"{program} does not pass without any change:\n{told[:3000]}")
        return program, 20 + 6 * (time.monotonic() - started)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return dict(pool.map(measure, programs))


def tell(mutant):
    print(f"{mutant.verdict:<17}{mutant.kind} {mutant.change}" + (f"  [{mutant.by}]" if mutant.by else "")
          + f"  [{mutant.seconds:.0f} s]", flush=True)


def judge_all(mutants, programs, workers, count, compiled_before, keep):
    """Judges the first `count` of each seed that compile."""
    taken = collections.Counter(mutant.seed for mutant in mutants if mutant.verdict in ("killed", "survived"))
    for number, mutant in enumerate(mutants, 1):
        mutant.number = number
        if mutant.verdict == "drawn" and mutant.change.key() in EQUIVALENTS:
            mutant.by = EQUIVALENTS[mutant.change.key()]
            mutant.verdict = "equivalent"
    for group in rounds([mutant for mutant in mutants if mutant.verdict == "drawn"]):
        group = [mutant for mutant in group if taken[mutant.seed] < count]
        if not group:
            continue
        started = time.monotonic()
        built = build(group, programs, workers, compiled_before)
        keep()
        print(f"built {len(built)} changes in {time.monotonic() - started:.0f} s", flush=True)
        limits = baseline(programs, workers)
        chosen = []
        for mutant in built:
            taken[mutant.seed] += 1
            if taken[mutant.seed] <= count:
                chosen.append(mutant)
        fast = [program for program in programs if program not in SLOW]
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for mutant in pool.map(lambda one: judge(one, fast, limits), chosen):
                tell(mutant)
                keep()
            left = [mutant for mutant in chosen if mutant.verdict == "survived"] if len(fast) < len(programs) else []
            print(f"the simulation, for {len(left)} changes that are left", flush=True)
            for mutant in pool.map(lambda one: judge(one, SLOW, limits), left):
                tell(mutant)
                keep()


def report(mutants):
    """Prints the shares; True when each is high enough."""
    enough = True
    for kind, wanted in WANTED.items():
        counted = [mutant for mutant in mutants if mutant.kind == kind and mutant.verdict in ("killed", "survived")]
        killed = sum(mutant.verdict == "killed" for mutant in counted)
        share = killed / len(counted) if counted else 1
        enough = enough and share >= wanted
        print(f"{kind}s: {killed} of {len(counted)} killed ({100 * share:.1f}%, at least {100 * wanted:.0f}% are wanted)")
    print(f"{sum(m.verdict == 'equivalent' for m in mutants)} equivalent, "
          f"{sum(m.verdict == 'does not compile' for m in mutants)} do not compile")
    return enough


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", action="append", help="which places are taken; more than one are built together (14)")
    parser.add_argument("--count", type=int, default=150, help="changes for each seed (150)")
    parser.add_argument("--only", action="append", metavar="PREFIX", help="only files whose path begins so: src/opstack/sync")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="changes that are judged at the same time")
    parser.add_argument("--list", action="store_true", help="print the changes and stop")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="keep the verdicts in this file")
    parser.add_argument("--fast", action="store_true", help="leave the simulation out, which takes minutes for each change that is left")
    parser.add_argument("--again", type=pathlib.Path, metavar="FILE", help="go on with the verdicts in FILE: judge those that survived again and those that are left, and report all")
    options = parser.parse_args()
    if options.again:
        mutants = drawn_before(options.again)
    else:
        seeds = options.seed or ["14"]
        print(f"seeds: {', '.join(seeds)}; {options.count} changes each", flush=True)
        spare = options.count if options.list else int(options.count * SPARE)
        mutants = [mutant for seed in seeds for mutant in draw(seed, spare, options.only)]
    if options.list:
        for mutant in mutants:
            tell(mutant)
        return 0
    copy_tree()
    programs = [*(BUILD / "unit_tests.txt").read_text().split(), *OTHERS, *(SLOW if not options.fast else [])]

    def keep():
        if options.json:
            options.json.write_text(json.dumps([dataclasses.asdict(mutant) for mutant in mutants], indent=1))

    judge_all(mutants, programs, options.jobs, options.count, bool(options.again), keep)
    return 0 if report(mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
