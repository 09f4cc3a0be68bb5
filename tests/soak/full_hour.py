"""An hour of a chain of real processes: 1 s blocks of 100 KB, an intruder always on, a follower restarted each minute.

OPP2P_SOAK_MINUTES says how long (60). What is measured is printed as a table and kept as build/soak.json: resident memory and open
files of each node, taken right before each restart. Memory is compared between a warm-up (a sixth of the time) and the end.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time
import unittest

from lib import opp2p

MINUTES = int(os.environ.get("OPP2P_SOAK_MINUTES", "60"))
FOLLOWERS = 3
BLOCK_SIZE = 100_000
ROUND = 60  # seconds between two restarts
GROWTH = 0.05
REPORT = opp2p.ROOT / "build" / "soak.json"


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def data_dir_of(pid):
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return pathlib.Path(words[words.index(b"--data-dir") + 1].decode()) if b"--data-dir" in words else None


def measure(pid):
    """MiB of memory, of its own and of mapped files, and open files."""
    size = {name: opp2p.memory_mib(pid, name) for name in ("VmRSS", "RssAnon", "RssFile", "VmHWM")}
    return {**size, "files": opp2p.open_files(pid), "at": time.time()}


def chain(port, last):
    """All hashes from block 1 to `last`."""
    hashes = []
    while len(hashes) < last:
        hashes += opp2p.rpc(port, "opp2p_chain", len(hashes) + 1, min(1000, last - len(hashes)))
    return hashes


class Soak(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.samples = {}
        self.openings = []
        self.catching_up = []

    def start_devnet(self, seconds):
        out = open(self.folder / "devnet.out", "w")
        self.addCleanup(out.close)
        # Five minutes more than needed: it is interrupted when everything has been looked at.
        self.devnet = subprocess.Popen(
            [str(opp2p.PROGRAM), "devnet", "--json", "--block-time", "1", "--block-size", str(BLOCK_SIZE), "--nodes", str(FOLLOWERS),
             "--data-dir", str(self.folder / "devnet"), "--keep", "--for", str(seconds + 300)], stdout=out, stderr=out)
        self.addCleanup(self.end_devnet)
        about = self.folder / "devnet" / "devnet.json"
        opp2p.wait_for(about.exists, 30, "the devnet is up")
        time.sleep(1)
        self.about = json.loads(about.read_text())
        self.members = {}
        self.find_members()

    def find_members(self):
        """The sequencer is started again after its fail-over, and the late joiner comes after 20 seconds."""
        for pid in children(self.devnet.pid):
            if data_dir_of(pid) is not None:
                self.members[data_dir_of(pid).name] = pid

    @property
    def sequencer_port(self):
        return json.loads((self.folder / "devnet" / "standby" / "node.json").read_text())["rpcPort"]

    def end_devnet(self):
        if self.devnet.poll() is None:
            self.devnet.terminate()
            self.devnet.wait(60)

    def sample(self):
        self.find_members()
        for name, pid in self.members.items():
            self.samples.setdefault(name, []).append(measure(pid))
        self.samples.setdefault("restarted", []).append(measure(self.follower.process.pid))

    def restart(self, number):
        """By turns in order and by force; then it says what it found and has to reach the head again."""
        acknowledged = self.follower.head()
        self.follower.stop() if number % 2 == 0 else self.follower.kill()
        before = len(self.follower.log())
        self.follower.start().ready()
        opened = re.search(r"store opened.*", self.follower.log()[before:])
        self.assertIsNotNone(opened, "the log says what the store recovered")
        self.openings.append(opened.group(0))
        self.assertGreaterEqual(self.follower.head(), acknowledged, "an acknowledged block was lost")
        started = time.monotonic()
        opp2p.wait_for(lambda: self.follower.head() >= opp2p.rpc(self.sequencer_port, "opp2p_status")["head"]["number"] - 1, 30,
                       "the restarted follower is at the head again")
        self.catching_up.append(time.monotonic() - started)

    def test_memory_and_files_stay_as_they_are_and_no_block_is_missing(self):
        self.start_devnet(MINUTES * 60)
        self.follower = opp2p.Node(self.folder / "restarted", "--rollup.config", self.about["rollupConfig"],
                                   "--p2p.unsafe.block.signer", self.about["signer"], "--p2p.static", ",".join(self.about["addresses"])).ready()
        self.addCleanup(self.follower.kill)
        started = time.monotonic()
        for minute in range(1, MINUTES + 1):
            time.sleep(max(0, started + minute * ROUND - time.monotonic()))
            self.sample()
            if minute < MINUTES:
                self.restart(minute)
        last = self.follower.head()
        problems = self.judge()
        expected = chain(self.sequencer_port, last)
        for name in self.members:
            if name not in ("standby", "intruder"):
                port = json.loads((self.folder / "devnet" / name / "node.json").read_text())["rpcPort"]
                self.assertEqual(chain(port, last), expected, name)
        self.assertEqual(chain(self.follower.port, last), expected)
        self.end_devnet()
        summary = opp2p.json_lines((self.folder / "devnet.out").read_text())[-1]
        self.assertTrue(summary.get("ok"), summary.get("problems"))
        self.assertGreaterEqual(summary["blocks"], MINUTES * 60 * 0.95)
        self.assertEqual(problems, [])

    def judge(self):
        problems = []
        rows = []
        warm = max(1, MINUTES // 6)
        for name, samples in self.samples.items():
            early = samples[max(0, warm - 3):warm]
            late = samples[-3:]
            # The median of three minutes on each side.
            mean = {key: (statistics.median(s[key] for s in early), statistics.median(s[key] for s in late))
                    for key in ("VmRSS", "RssAnon", "RssFile", "files")}
            files = {s["files"] for s in samples[warm - 1:]}
            growth = mean["VmRSS"][1] / mean["VmRSS"][0] - 1
            rows.append({"node": name, "rss_mib": mean["VmRSS"], "anon_mib": mean["RssAnon"], "file_mib": mean["RssFile"],
                         "peak_mib": max(s["VmHWM"] for s in samples), "growth": growth, "files": sorted(files)})
            print(f"  {name:<14} rss {mean['VmRSS'][0]:6.1f} -> {mean['VmRSS'][1]:6.1f} MiB ({growth:+.1%}), of its own "
                  f"{mean['RssAnon'][0]:6.1f} -> {mean['RssAnon'][1]:6.1f}, files open {sorted(files)}", flush=True)
            if growth > GROWTH:
                problems.append(f"{name} grew by {growth:.1%} between minute {warm} and {MINUTES}")
            if len(files) > 1:
                problems.append(f"{name} had {sorted(files)} files open")
        print(f"  {len(self.openings)} restarts, back at the head after at most {max(self.catching_up, default=0):.1f} s", flush=True)
        REPORT.write_text(json.dumps({"minutes": MINUTES, "nodes": rows, "restarts": len(self.openings),
                                      "slowest_catch_up_s": max(self.catching_up, default=0), "samples": self.samples}, indent=1))
        return problems


if __name__ == "__main__":
    unittest.main()
