"""The wire torturer against a node: every case gets as far as it means to and ends as it should, and meanwhile the node stays up, stays
small, stays quick for honest peers, and says why it throws the others out.

OPP2P_TORTURE_SECONDS says how long each case lasts (1), OPP2P_TORTURE_CASE names a single one.
"""

import datetime
import functools
import json
import os
import pathlib
import random
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
TOGETHER = 6  # cases at a time, half of them on what all peers share, beside 64 silent and 64 idle connections
TOGETHER_SECONDS = 10
FLOOD_SECONDS = 4
# Twice the quiet time is asked for above these: a ping of 0.1 ms waits for what the node does just then, which may be a frame of half a
# megabyte; a block of 4 ms, counted in whole milliseconds, for the disk.
PING_FLOOR_MS = 5.0
GETS_IN_WITHIN = 2.0  # seconds
BLOCK_FLOOR_MS = 10.0


@functools.cache
def cases():
    listed = subprocess.run([needed("torturer"), "list"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {case["case"]: case for case in opp2p.json_lines(listed)}


class Attacker:
    """Its case again and again until the time is over. It gets what the others leave of the machine, as one from elsewhere would."""

    def __init__(self, case, target, seconds, identities=None):
        self.case = case
        more = [] if identities is None else [str(identities)]
        self.process = subprocess.Popen(["nice", "-n", "19", needed("torturer"), case, target.address, str(seconds), *more],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def verdict(self):
        said, complaints = self.process.communicate(timeout=60)
        if not said:
            raise AssertionError(f"{self.case}: {complaints}")
        return json.loads(said)


class Victim:
    """A node in the middle of a running chain, and what the kernel says of it."""

    def __init__(self, folder, options, sequencer):
        self.node = opp2p.Node(folder, *options, "--p2p.static", sequencer.address, "--log.level", "info,host=debug,gossip=debug").ready()
        self.pid = self.node.process.pid

    def peak(self):
        """MiB resident at most since forget_peak()."""
        return opp2p.memory_mib(self.pid, "VmHWM")

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def open_files(self):
        return opp2p.open_files(self.pid)

    def median_ping(self):
        """ms, of an honest peer that comes now. Loopback has no address share: it may have to come again, for two seconds at most."""
        end = time.monotonic() + GETS_IN_WITHIN
        while True:
            done = opp2p.run("ping", self.node.address, "-c", 20, "-i", 0.02, "--json", timeout=30)
            lines = opp2p.json_lines(done.stdout)
            if (lines and lines[-1]["ok"]) or time.monotonic() > end:
                break
        assert lines and lines[-1]["ok"], done.stdout[-500:] + done.stderr[-500:]
        return statistics.median(line["round_trip_ms"] for line in lines if "round_trip_ms" in line)

    def reason(self, port, since):
        """What the log says, from that byte on, of the end of the attacker's connection from that port."""
        said = re.compile(rf"addr=/ip4/127\.0\.0\.2/tcp/{port} reason=(.*)")
        return opp2p.wait_for(lambda: said.search(self.node.log()[since:]), 5, f"the log says why the connection {port} ended").group(1)


def times(node, pattern):
    """Seconds of the day of each block's line in the node's log, by the block's hash."""
    found = re.findall(rf"^t=\S+T(\S+)Z .*{pattern}=(0x[0-9a-f]+)", node.log(), re.M)
    return {block: (datetime.datetime.strptime(at, "%H:%M:%S.%f") - datetime.datetime(1900, 1, 1)).total_seconds() for at, block in found}


class Torturer(unittest.TestCase):
    def setUp(self):
        needed("torturer")
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        key, options, envelopes = made_chain.make(folder, 5000, 2000)
        self.sequencer = made_chain.sequencer(folder / "sequencer", key, options)
        self.addCleanup(self.sequencer.kill)
        self.victim = Victim(folder / "victim", options, self.sequencer)
        self.addCleanup(self.victim.node.kill)
        self.behind = opp2p.Node(folder / "behind", *options, "--p2p.static", self.victim.node.address).ready()
        self.addCleanup(self.behind.kill)
        self.feeder = made_chain.Feeder(self.sequencer, envelopes, 0.05)
        self.addCleanup(self.feeder.stopping.set)
        self.feeder.start()
        opp2p.wait_for(lambda: self.behind.head() > 20, 20, "blocks come through")
        self.quiet = statistics.median(self.victim.median_ping() for _ in range(3))
        self.quiet_blocks = self.median_block_ms(time.time() - 3)
        self.files = self.victim.open_files()

    def median_block_ms(self, since):
        """From the sequencer to the node behind the victim, of the blocks published since then (seconds, as of time.time())."""
        published, arrived = times(self.sequencer, "Publishing.* id"), times(self.behind, "new unsafe head.* hash")
        since %= 86400
        took = [arrived[block] - at for block, at in published.items() if at >= since and block in arrived]
        return 1000 * statistics.median(took) if took else float("inf")

    def slow(self, latency, blocks, *names):
        """What honest peers have to complain of; nothing when they have not."""
        if latency > max(2 * self.quiet, PING_FLOOR_MS):
            return f"pings took {latency:.1f} ms, {self.quiet:.2f} when it was quiet"
        if blocks > max(2 * self.quiet_blocks, BLOCK_FLOOR_MS, *(cases()[name].get("blocksMs", 0) for name in names)):
            return f"blocks took {blocks:.1f} ms, {self.quiet_blocks:.1f} when it was quiet"
        return None

    def held(self, *names):
        """What holds under every attack."""
        node = self.victim.node
        self.assertIsNone(node.process.poll(), f"{names} ended the node:\n{node.log()[-2000:]}")
        bound = max(cases()[name].get("memory", MEMORY_MIB) for name in names)
        self.assertLess(self.victim.peak(), bound, f"{names} made the node large")

    def judged(self, verdict, since):
        """Whether the case did what it means to, and whether the node did what it should."""
        case = cases()[verdict["case"]]
        layers = ["tcp", "noise", "yamux", "stream"]
        self.assertGreaterEqual(layers.index(verdict["reached"]), layers.index(case["reaches"]), f"it got no further: {verdict}")
        self.assertGreaterEqual(verdict["written"], case["written"], verdict)
        if case.get("hears"):
            self.assertGreater(verdict["heard"][case["hears"]], 0, f"the node took no notice: {verdict}")
        if case["ends"] == "endured":
            # Some cases end with a score below that of a ban. The node looks at scores at intervals: rarely before such a case is over.
            if verdict["thrownOut"]:
                self.assertRegex(self.victim.reason(verdict["port"], since), r"is banned until .* its score is -\d", verdict)
        elif case["ends"] == "thrown out":
            self.assertGreater(verdict["thrownOut"], 0, verdict)
            self.assertRegex(self.victim.reason(verdict["port"], since), case["why"])

    def nothing_is_left(self):
        opp2p.wait_for(lambda: self.victim.open_files() <= self.files, 20, "all sockets of attackers are closed")
        self.feeder.stopping.set()
        self.feeder.join()
        self.assertIsNone(self.feeder.error)
        last = self.sequencer.head()
        opp2p.wait_for(lambda: self.behind.head() == last, 20, "every block came through")
        for first in range(1, last + 1, 1000):
            self.assertEqual(self.behind.rpc("opp2p_chain", first, 1000), self.sequencer.rpc("opp2p_chain", first, 1000))

    def tortured(self, name):
        """Runs a case, judges it and answers whether honest peers had to wait."""
        self.victim.forget_peak()
        since, began = len(self.victim.node.log()), time.time()
        attacker = Attacker(name, self.victim.node, SECONDS)
        time.sleep(0.2)
        latency = self.victim.median_ping()
        verdict = attacker.verdict()
        blocks = self.median_block_ms(began)
        heard = ", ".join(f"{count} {kind}" for kind, count in verdict["heard"].items() if count)
        print(f"  {name:<33} {verdict['connections']:5} connections, {verdict['thrownOut']:5} thrown out, "
              f"{verdict['written'] / 1e6:7.2f} MB sent, ping {latency:5.2f}, blocks {blocks:4.1f} ms, "
              f"{self.victim.peak():5.1f} MiB  {heard}", flush=True)
        self.held(name)
        self.judged(verdict, since)
        return self.slow(latency, blocks, name)

    def test_every_case_leaves_the_node_up_small_and_quick(self):
        for name in [name for name in cases() if os.environ.get("OPP2P_TORTURE_CASE") in (None, name)]:
            with self.subTest(case=name):
                # The machine may have hiccuped; a node that is slow under a case is so again.
                if self.tortured(name):
                    self.assertIsNone(self.tortured(name))
        print(f"  when it was quiet: ping {self.quiet:.2f}, blocks {self.quiet_blocks:.1f} ms", flush=True)
        self.nothing_is_left()

    def test_no_honest_block_misses_gossip_beside_small_messages(self):
        for name in ("gossip-small-messages-two", "gossip-small-messages-four"):
            with self.subTest(case=name):
                before = {node: node.status()["blocksSynced"] for node in (self.victim.node, self.behind)}
                began, head = time.time(), self.sequencer.head()
                verdict = Attacker(name, self.victim.node, FLOOD_SECONDS).verdict()
                missed = {node: node.status()["blocksSynced"] - count for node, count in before.items()}
                print(f"  {name}: {verdict['written'] / 1e6:.1f} MB sent, of {self.sequencer.head() - head} blocks "
                      f"{missed[self.victim.node]} missed gossip, {missed[self.behind]} at the node behind; "
                      f"blocks {self.median_block_ms(began):.1f} ms", flush=True)
                self.assertEqual(sum(missed.values()), 0)
        self.nothing_is_left()

    def test_many_attackers_at_once(self):
        seed = int(os.environ.get("OPP2P_SEED", "1"))
        silent = ["tcp-64-silent-connections", "noise-64-idle-connections"]
        with self.subTest(seed=seed):
            rng = random.Random(seed)
            shared = [name for name in cases() if cases()[name].get("shared")]
            others = [name for name in cases() if name not in silent and name not in shared]
            chosen = rng.sample(shared, TOGETHER // 2) + rng.sample(others, TOGETHER - TOGETHER // 2)
            print(f"  seed {seed}: {', '.join(chosen)}", flush=True)
            self.victim.forget_peak()
            began = time.time()
            attackers = [Attacker(name, self.victim.node, TOGETHER_SECONDS) for name in silent + chosen]
            time.sleep(0.5)
            latencies = []
            while any(attacker.process.poll() is None for attacker in attackers):
                latencies.append(self.victim.median_ping())
            latency, blocks = statistics.median(latencies), self.median_block_ms(began)
            print(f"  ping {latency:.2f} ms, at most {max(latencies):.2f}; blocks {blocks:.1f} ms, "
                  f"{self.quiet_blocks:.1f} when it was quiet; {self.victim.peak():.1f} MiB", flush=True)
            for attacker in attackers:
                attacker.verdict()
            self.held(*chosen)
            self.assertIsNone(self.slow(latency, blocks, *chosen))
            self.nothing_is_left()


if __name__ == "__main__":
    unittest.main()
