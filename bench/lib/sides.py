"""The programs of each side, and how they are built."""

import contextlib
import os
import pathlib
import subprocess

from processes import Program, run, run_lines

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
CACHE = pathlib.Path(os.environ.get("OPP2P_CACHE") or ROOT / ".cache")
LOAD = BUILD / "bench" / "bench_load"  # makes the load, whatever build is measured
BOUND = BUILD / "bench" / "bench_bound"
FLOOR = BUILD / "bench" / "bench_floor"
GO = CACHE / "interop" / "golibp2p"
VALIDATOR = CACHE / "interop" / "validator"
OPNODE = CACHE / "interop" / "opnode-peer"
RUST = CACHE / "interop" / "rustlibp2p-release"
GOSSIP = {"go": CACHE / "interop" / "gossipload", "go 0.51": CACHE / "interop" / "gossipload-next", "rust": CACHE / "interop" / "gossipload-rust"}
OUR_PROGRAMS = {"opp2p": "opp2p", "bench_load": "bench/bench_load", "bench_bound": "bench/bench_bound", "bench_floor": "bench/bench_floor", "chain_maker": "tests/chain_maker"}

_measured = BUILD


def program(name):
    """One of OUR_PROGRAMS, of the build that is measured."""
    return _measured / OUR_PROGRAMS[name]


@contextlib.contextmanager
def measuring(build_folder):
    """In it "ours" is another build's."""
    global _measured
    before, _measured = _measured, build_folder
    try:
        yield
    finally:
        _measured = before


def missing(build_folder):
    """Of OUR_PROGRAMS that a row may measure, those that a build folder lacks."""
    return [name for name in ("opp2p", "bench_load") if not (build_folder / OUR_PROGRAMS[name]).exists()]


def build_ours():
    subprocess.run(["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DOPP2P_TESTS=ON",
                    "-DOPP2P_BENCH=ON"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", BUILD, "--target", *OUR_PROGRAMS], check=True, stdout=subprocess.DEVNULL)


def build():
    """Builds everything; answers the sides that there are, and says which are missing and why."""
    build_ours()
    sides = ["ours"]
    for side, programs in (("go", ["golibp2p", "gossipload"]), ("go 0.51", ["gossipload-next"]), ("op-node", ["opnode-peer", "validator"]),
                           ("rust", ["rustlibp2p-release", "gossipload-rust"])):
        done = subprocess.run([ROOT / "interop" / "build", *programs], stdout=subprocess.PIPE, text=True, check=True)
        missing = [line for line in done.stdout.splitlines() if "skipping" in line]
        if missing:
            print(f"without {side}: {missing[0]}")
        else:
            sides.append(side)
    return sides


def gossip(side, **words):
    """GossipSub nodes in one process, each connected to each; the parts that the words ask for, by name."""
    command = [program("bench_load"), "mesh"] if side == "ours" else [GOSSIP[side]]
    words = [f"{name.replace('_', '-')}={value}" for name, value in words.items() if value]
    return {found["part"]: found for found in run_lines(*command, *words)}


class Libp2p:
    """Plain libp2p of one implementation: a server of echo and perf, and the loads on it."""

    def __init__(self, name):
        self.name = name
        self.program = {"ours": program("bench_load"), "go": GO, "rust": RUST}[name]

    def serve(self, core=None):
        command = ["serve"] if self.name == "ours" else ["listen", "--quiet"]
        return Program(self.program, *command, core=core)

    def perf_server(self, core=None):
        if self.name == "ours":
            return Program(program("opp2p"), "perf", "serve", "--listen", "/ip4/127.0.0.1/tcp/0", core=core)
        return self.serve(core)

    def address(self, server):
        if "perf" in server.process.args:
            return server.line().strip()
        return server.json()["addr"]

    def perf(self, address, up, down, streams, core=None):
        if self.name == "ours":
            return run(program("opp2p"), "perf", "dial", address, "--upload-bytes", up, "--download-bytes", down, "--streams", streams, core=core)
        return run(self.program, "perf", address, f"up={up}", f"down={down}", f"streams={streams}", core=core)

    def load(self, command, address, *words):
        return run(self.program, command, address, *words)
