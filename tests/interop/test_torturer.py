"""The wire torturer against a node: it stays up, stays small, stays quick for honest peers, and says why it throws the others out.

OPP2P_TORTURE_SECONDS says how long each case lasts (1), OPP2P_TORTURE_CASE names a single one.
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

from lib import made_chain, opp2p
from peers import needed

SECONDS = float(os.environ.get("OPP2P_TORTURE_SECONDS", "1"))
MEMORY_MIB = 100
# The attacker takes a core, so that an honest peer waits for a place on the other: a round trip of 0.1 ms may well become one of some
# milliseconds without the node's doing. Twice the quiet median is asked for above that.
FLOOR_MS = 5.0


def kernel(pid, what):
    """MiB."""
    return int(re.search(rf"^{what}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1)) / 1024


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def median_ping(address):
    done = opp2p.run("ping", address, "-c", 20, "-i", 0.02, "--json", timeout=30)
    lines = opp2p.json_lines(done.stdout)
    assert lines and lines[-1]["ok"], done.stdout[-500:] + done.stderr[-500:]
    return statistics.median(line["round_trip_ms"] for line in lines if "round_trip_ms" in line)


class Torturer(unittest.TestCase):
    def test_every_case_leaves_the_node_up_small_and_quick(self):
        torturer = needed("torturer")
        names = subprocess.run([torturer, "list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        names = [name for name in names if os.environ.get("OPP2P_TORTURE_CASE") in (None, name)]
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        key, options, envelopes = made_chain.make(folder, 5000, 2000)
        sequencer = made_chain.sequencer(folder / "sequencer", key, options)
        self.addCleanup(sequencer.kill)
        target = opp2p.Node(folder / "target", *options, "--p2p.static", sequencer.address, "--log.level", "info,host=debug,gossip=debug").ready()
        self.addCleanup(target.kill)
        behind = opp2p.Node(folder / "behind", *options, "--p2p.static", target.address).ready()
        self.addCleanup(behind.kill)
        feeder = made_chain.Feeder(sequencer.port, envelopes, 0.05)
        self.addCleanup(feeder.stopping.set)
        feeder.start()
        opp2p.wait_for(lambda: behind.head() > 20, 20, "blocks come through")
        pid = target.process.pid
        quiet = statistics.median(median_ping(target.address) for _ in range(3))
        files = open_files(pid)
        limit = max(2 * quiet, FLOOR_MS)
        rows = []
        for name in names:
            attacker = subprocess.Popen([torturer, name, target.address, str(SECONDS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
            time.sleep(0.1)
            with self.subTest(case=name):
                latency = median_ping(target.address)
                said, complaints = attacker.communicate(timeout=30)
                self.assertIsNone(target.process.poll(), f"{name} ended the node:\n{target.log()[-2000:]}")
                self.assertTrue(said, complaints)
                rows.append((name, json.loads(said), latency, kernel(pid, "VmRSS")))
                self.assertLess(latency, limit, f"{name}: honest peers waited {latency:.1f} ms, {quiet:.2f} ms when it was quiet")
                self.assertLess(kernel(pid, "VmHWM"), MEMORY_MIB, f"{name} made the node large")
        for name, verdict, latency, memory in rows:
            ending = f"thrown out after {verdict['seconds']:.1f} s" if verdict["closed"] else "endured"
            print(f"  {name:<32} {verdict['written'] / 1e6:8.2f} MB sent, {ending:<24} ping {latency:5.2f} ms, {memory:5.1f} MiB", flush=True)
        print(f"  quiet ping {quiet:.2f} ms; peak {kernel(pid, 'VmHWM'):.1f} MiB", flush=True)
        opp2p.wait_for(lambda: open_files(pid) <= files, 20, "all sockets of attackers are closed")
        feeder.stopping.set()
        feeder.join()
        self.assertIsNone(feeder.error)
        last = sequencer.head()
        opp2p.wait_for(lambda: behind.head() == last, 20, "every block came through")
        self.assertEqual(behind.rpc("opp2p_chain", 1, 1000), sequencer.rpc("opp2p_chain", 1, 1000))


if __name__ == "__main__":
    unittest.main()
