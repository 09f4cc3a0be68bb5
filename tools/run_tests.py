#!/usr/bin/env python3
"""Builds the tests and runs suites of them: ./test [NAME…] (./test --list names them).

Every suite counts single cases. The last line is "N passed, N failed, N skipped" over all suites. The exit code is 0 if no case failed and at
least one passed. A skipped case prints its reason. With CI=true a case that is skipped because of a missing peer or toolchain counts as failed,
because CI must have everything.
"""

import concurrent.futures
import dataclasses
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
FUZZ_SECONDS = int(os.environ.get("OPP2P_FUZZ_SECONDS", "60"))  # for each target
CI = os.environ.get("CI") == "true"


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def say(text):
    print(text, flush=True)


def run(command, **options):
    return subprocess.run([str(part) for part in command], cwd=ROOT, **options)


def build(folder, targets, *options):
    """Configures and builds; on failure shows the errors and gives up."""
    started = time.monotonic()
    log = folder.with_suffix(".log") if folder != BUILD else ROOT / "build.log"
    with open(log, "w") as out:
        steps = [["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DOPP2P_TESTS=ON", *options],
                 ["cmake", "--build", folder, "--target", *targets]]
        for step in steps:
            if run(step, stdout=out, stderr=subprocess.STDOUT).returncode != 0:
                out.flush()
                lines = log.read_text().splitlines()
                interesting = [line for line in lines if "error" in line or "FAILED" in line or "CMake Error" in line]
                say("\n".join((interesting or lines)[-40:]))
                say(f"the build failed; all of it is in {log.relative_to(ROOT)}")
                say("0 passed, 1 failed, 0 skipped")
                sys.exit(1)
    log.replace(folder / "build.log")
    say(f"built {folder.name} in {time.monotonic() - started:.0f} s")


def gtest(program, extra_environment=None):
    """Runs a GoogleTest program and counts its cases from its own report."""
    with tempfile.TemporaryDirectory() as scratch:
        report = pathlib.Path(scratch) / "report.xml"
        environment = {**os.environ, **(extra_environment or {})}
        done = run([program, f"--gtest_output=xml:{report}", "--gtest_brief=1"], stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, text=True, errors="replace", env=environment)
        tally = Tally()
        skips = {}
        try:
            cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
        except (OSError, xml.etree.ElementTree.ParseError):
            cases = []
        for case in cases:
            skipped = case.find("skipped")
            if case.find("failure") is not None:
                tally.failed += 1
            elif skipped is not None:
                tally.skipped += 1
                reason = skipped.get("message", "").strip().splitlines()
                skips[f"{case.get('classname')}.{case.get('name')}"] = reason[-1] if reason else "no reason given"
            elif case.get("result") == "completed":
                tally.passed += 1
        if done.returncode != 0 and tally.failed == 0:
            tally.failed += 1  # it crashed, a sanitizer spoke, or it left no report
        if tally.failed:
            say("\n".join(done.stdout.splitlines()[-200:]))
        for name, reason in skips.items():
            say(f"  skipped {name}: {reason}")
        if not cases and tally.failed == 0:
            say(f"  {program.name} ran no test")
            tally.failed += 1
    return tally


class Counting(unittest.TextTestResult):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.passes = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passes += 1


def python_suite(folder, pattern="test_*.py"):
    """Runs the unittest files of a folder."""
    path = ROOT / "tests" / folder
    for entry in (str(ROOT / "tests"), str(path)):
        if entry not in sys.path:
            sys.path.insert(0, entry)
    tests = unittest.TestLoader().discover(str(path), pattern=pattern, top_level_dir=str(path))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Counting).run(tests)
    tally = Tally(result.passes, len(result.failures) + len(result.errors), len(result.skipped))
    for test, reason in result.skipped:
        say(f"  skipped {test}: {reason}")
    if CI and tally.skipped:
        say("  a skip is a failure in CI: everything is expected to be there")
        tally.failed, tally.skipped = tally.failed + tally.skipped, 0
    if not result.testsRun:
        say(f"  {folder} ran no test")
        tally.failed += 1
    return tally


def lint():
    tally = Tally()
    for script, *options in (["check_format.py"], ["check_layers.py"], ["check_coroutines.py"], ["check_private.py"], ["check_spec_map.py"],
                             ["check_fuzz.py"], ["draw_architecture.py", "--check"], ["attack_table.py", "--check"],
                             ["plot_scores.py", "--check"]):
        done = run([sys.executable, ROOT / "tools" / script, *options], stdout=subprocess.PIPE, text=True)
        say("  " + "\n  ".join(done.stdout.splitlines()))
        skipped = re.match(r"\w+: skipped", done.stdout) is not None
        tally.add(Tally(failed=1) if done.returncode != 0 else Tally(skipped=1) if skipped else Tally(passed=1))
    return tally


def unit_programs(folder):
    """The test programs of the folders, as the build lists them, and the subcommands'."""
    return [*(folder / "unit_tests.txt").read_text().split(), "apps/opp2p/apps_test"]


def unit(folder=BUILD):
    """The unit programs, as many at a time as there are cores."""
    tally = Tally()
    programs = unit_programs(folder)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, one in zip(programs, pool.map(lambda program: gtest(folder / program), programs)):
            say(f"  {pathlib.Path(program).name.removeprefix('unit_').removesuffix('_test')}: {one}")
            tally.add(one)
    return tally


def simulation(folder=BUILD, extra_environment=None):
    """The simulations, which have one thread each, dealt out to a process for each core, but to no more than there is work for."""
    tally, shards = Tally(), min(os.cpu_count(), 8)
    def run_shard(number):
        return gtest(folder / "tests" / "sim_test", {**(extra_environment or {}), "GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(number)})
    with concurrent.futures.ThreadPoolExecutor(shards) as pool:
        for one in pool.map(run_shard, range(shards)):
            tally.add(one)
    return tally


def fuzz_replay(folder=BUILD):
    done = run([folder / "fuzz" / "fuzz_replay", ROOT / "fuzz" / "corpus"], stdout=subprocess.PIPE,
               stderr=subprocess.STDOUT, text=True, errors="replace")
    lines = done.stdout.splitlines()
    replayed = [line for line in lines if line.startswith("replayed ")]
    say("\n".join(f"  {line}" for line in (lines if done.returncode else replayed)))
    failed = 0 if done.returncode == 0 and replayed else 1
    tally = Tally(passed=len(replayed), failed=failed)
    tally.add(seeds_are_current(folder))
    return tally


def seeds_are_current(folder):
    """The seeds in fuzz/corpus are what fuzz_corpus writes today."""
    with tempfile.TemporaryDirectory() as scratch:
        made = run([folder / "fuzz" / "fuzz_corpus", scratch]).returncode == 0
        files = [path for path in pathlib.Path(scratch).rglob("*") if path.is_file()]
        kept = {path: ROOT / "fuzz" / "corpus" / path.relative_to(scratch) for path in files}
        stale = [kept[path].relative_to(ROOT) for path in files
                 if not kept[path].is_file() or kept[path].read_bytes() != path.read_bytes()]
    for path in stale:
        say(f"  {path} is not what build/fuzz/fuzz_corpus fuzz/corpus writes")
    return Tally(passed=1) if made and files and not stale else Tally(failed=1)


def build_sanitized(folder, targets, compiler, looks_for, *options):
    """A Debug build in which a finding of the sanitizers ends the program that made it.

    Several sources are compiled at once. An include that is missing shows in the build of the fuzz targets.
    """
    os.environ.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=1")
    os.environ.setdefault("TSAN_OPTIONS", "halt_on_error=1")
    build(folder, targets, "-DCMAKE_BUILD_TYPE=Debug", f"-DCMAKE_CXX_COMPILER={compiler}", f"-DOPP2P_SANITIZE={looks_for}",
          "-DCMAKE_UNITY_BUILD=ON", *options)


ADDRESS_BUILD = ROOT / "build-address"


def build_address():
    build_sanitized(ADDRESS_BUILD, ["unit_tests"], "g++", "address")


def address():
    """The unit suite under g++'s AddressSanitizer."""
    build_address()
    return unit(ADDRESS_BUILD)


class EarlyBuild:
    """The build of the address suite beside suites that mostly wait: it takes the processors that they leave idle. The suite builds again, so
    that it finds what is missing here and reports it."""

    def __init__(self):
        def alone():
            os.setpgid(0, 0)  # so that the compilers end with it
            try:
                os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # whoever else wants the processor gets it at once
            except OSError:
                os.nice(19)  # a sandbox does not allow it

        self.process = subprocess.Popen([sys.executable, __file__, "--build-address"], stdout=subprocess.DEVNULL, preexec_fn=alone)

    def wait(self):
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()


# name: (compiler, what it looks for)
SANITIZERS = {
    "g++-address": ("g++", "address,undefined"),
    "clang-address": ("clang++-19", "address,undefined"),
    "clang-thread": ("clang++-19", "thread"),
}


def sanitizer(name):
    """The unit and simulation suites under sanitizers of one compiler; any finding ends the program that made it."""
    compiler, looks_for = SANITIZERS[name]
    if shutil.which(compiler) is None:
        say(f"  skipped {name}: there is no {compiler} (apt-get install clang-19 libclang-rt-19-dev)")
        return Tally(failed=1) if CI else Tally(skipped=1)
    folder = ROOT / f"build-{name}"
    build_sanitized(folder, ["unit_tests", "sim_test"], compiler, looks_for, "-DCMAKE_CXX_FLAGS_DEBUG=-O1")
    tally = unit(folder)
    one = simulation(folder)
    say(f"  simulation: {one}")
    tally.add(one)
    return tally


def fuzz():
    """Every fuzz target for a minute under libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer; what it finds is kept."""
    clang = shutil.which("clang++-19")
    if clang is None:
        say("  skipped fuzz: there is no clang++-19 (apt-get install clang-19 libclang-rt-19-dev)")
        return Tally(failed=1) if CI else Tally(skipped=1)
    folder = ROOT / "build-fuzz"
    build(folder, ["fuzz_targets"], "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DOPP2P_TESTS=OFF", "-DOPP2P_FUZZ=ON",
          f"-DCMAKE_CXX_COMPILER={clang}", "-DOPP2P_SANITIZE=address,undefined")
    targets = sorted(path for path in (folder / "fuzz").glob("fuzz_*") if path.is_file() and os.access(path, os.X_OK))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tallies = list(pool.map(fuzz_one, targets))
    if not targets:
        say("  there is no fuzz target")
    return Tally(passed=sum(t.passed for t in tallies), failed=sum(t.failed for t in tallies) + (0 if targets else 1))


def fuzz_one(target):
    name = target.name.removeprefix("fuzz_")
    with tempfile.TemporaryDirectory() as found:
        seeds = ROOT / "fuzz" / "corpus" / name
        command = [target, f"-max_total_time={FUZZ_SECONDS}", "-timeout=25", "-rss_limit_mb=3000", "-max_len=65536",
                   "-print_final_stats=1", f"-artifact_prefix={target.parent}/{name}-", found, *([seeds] if seeds.is_dir() else [])]
        done = run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stdout)
    if done.returncode == 0 and runs:
        say(f"  {name}: {runs.group(1)} runs")
        return Tally(passed=1)
    say("\n".join(done.stdout.splitlines()[-60:]))
    say(f"  {name}: failed; the input lies in {target.parent.relative_to(ROOT)}")
    return Tally(failed=1)


def durability():
    """Two hundred times kill -9; the default e2e suite has a few of them."""
    os.environ.setdefault("OPP2P_KILLS", "200")
    return python_suite("e2e", "test_durability.py")


def differential():
    """A million cases of each format read by our decoders and by Go's; the default interop suite has 10,000 of each."""
    os.environ.setdefault("OPP2P_DIFFERENTIAL_CASES", "1000000")
    return python_suite("interop", "test_differential.py")


def mutants():
    """Whether the unit tests notice when a condition is changed (tools/check_mutants.py)."""
    return Tally(passed=1) if run([sys.executable, ROOT / "tools" / "check_mutants.py"]).returncode == 0 else Tally(failed=1)


def checked_simulation():
    """The simulations with the invariants of a node checked after each of its events; the default suite checks every 32nd."""
    return simulation(BUILD, {"OPP2P_SIM_CHECK_EVERY": "1"})


def block_way():
    """The block passes every function that docs/block-way.svg shows (tools/trace_block.py)."""
    if shutil.which("gdb") is None:
        say("  skipped block-way: there is no gdb (apt-get install gdb)")
        return Tally(failed=1) if CI else Tally(skipped=1)
    done = run([sys.executable, ROOT / "tools" / "trace_block.py", "--check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    say("  " + "\n  ".join(done.stdout.splitlines()))
    return Tally(passed=1) if done.returncode == 0 else Tally(failed=1)


def attacks():
    """The simulated attacks at full size (tools/attack_table.py); OPP2P_ATTACKS=NAME,… chooses some. Rows that are there are not made again."""
    return Tally(passed=1) if run([sys.executable, ROOT / "tools" / "attack_table.py"]).returncode == 0 else Tally(failed=1)


HONEST_STORIES = ("honest/all", "ban/invalid-blocks")


def honest():
    """1,000 simulated nodes under the profile opp2p: no honest peer is ever below zero, and whoever sends invalid blocks is banned within ten."""
    tally = Tally()
    for story in HONEST_STORIES:
        done = run([BUILD / "opp2p", "sim", "run", story, "--nodes", "1000", "--minutes", "10"], stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, text=True)
        lines = done.stdout.splitlines()
        bars = [line for line in lines if line.startswith(("met ", "NOT MET"))]
        met = done.returncode == 0 and bars and all(line.startswith("met ") for line in bars)
        say("\n".join(f"  {line}" for line in (bars if met else lines)))
        tally.add(Tally(passed=1) if met else Tally(failed=1))
    return tally


def release_build():
    # CI has no cache of compiled sources. Several at once compile in two thirds of the time; a changed one alone is quicker by itself.
    build(BUILD, ["all"], "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_UNITY_BUILD={'ON' if CI else 'OFF'}")


# name: (what it runs, needs the release build)
SUITES = {
    "lint": (lint, False),
    "unit": (unit, True),
    "vectors": (lambda: gtest(BUILD / "tests" / "vectors_test"), True),
    "simulation": (simulation, True),
    "simulation-checked": (checked_simulation, True),
    "fuzz-corpora": (fuzz_replay, True),
    "e2e": (lambda: python_suite("e2e"), True),
    "interop": (lambda: python_suite("interop"), True),
    "netns": (lambda: python_suite("netns"), True),
    "address": (address, False),
    **{name: (functools.partial(sanitizer, name), False) for name in SANITIZERS},
    "differential": (differential, True),
    "interop-full": (lambda: python_suite("interop", "full_*.py"), True),
    "netns-full": (lambda: python_suite("netns", "full_*.py"), True),
    "fuzz": (fuzz, False),
    "durability": (durability, True),
    "browser": (lambda: python_suite("e2e", "full_*.py"), True),
    "mutants": (mutants, False),
    "block-way": (block_way, True),
    "soak": (lambda: python_suite("soak"), True),
    "soak-full": (lambda: python_suite("soak", "full_*.py"), True),
    "attacks": (attacks, True),
    "honest": (honest, True),
}
GROUPS = {
    "default": ["lint", "unit", "vectors", "simulation", "fuzz-corpora", "e2e", "interop", "netns"],
    "sanitizers": list(SANITIZERS),
    "full": ["lint", "unit", "vectors", "simulation", "fuzz-corpora", "e2e", "interop", "netns", "simulation-checked", *SANITIZERS, "interop-full",
             "netns-full", "differential", "fuzz", "durability", "browser", "block-way", "honest"],
}


def main():
    names = sys.argv[1:] or ["default"]
    if names == ["--list"]:
        say("suites: " + ", ".join(SUITES) + "\ngroups: " + ", ".join(f"{g} ({', '.join(s)})" for g, s in GROUPS.items()))
        return 0
    if names == ["--build-address"]:
        build_address()
        return 0
    unknown = [name for name in names if name not in SUITES and name not in GROUPS]
    if unknown:
        say(f"there is no suite '{unknown[0]}'; ./test --list names them")
        return 2
    chosen = list(dict.fromkeys(suite for name in names for suite in GROUPS.get(name, [name])))
    if any(SUITES[name][1] for name in chosen):
        release_build()
    total = Tally()
    early = None
    try:
        for at, name in enumerate(chosen):
            if name == "e2e" and "address" in chosen[at:]:
                early = EarlyBuild()
            if name == "address" and early is not None:
                early.wait()
            started = time.monotonic()
            say(f"== {name}")
            tally = SUITES[name][0]()
            say(f"== {name}: {tally} ({time.monotonic() - started:.1f} s)")
            total.add(tally)
    finally:
        if early is not None:
            early.stop()
    say(str(total))
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
