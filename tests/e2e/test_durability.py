"""A follower of a running chain, killed with -9 at random moments, and with a disk that gets full: nothing
that it acknowledged is lost, and it goes on. The store by itself is killed in every kind of write (store_crash_test.cpp).

OPP2P_KILLS says how often (6), OPP2P_SEED when (1); a failure prints the seed.
"""

import os
import pathlib
import random
import re
import resource
import subprocess
import tempfile
import threading
import time
import unittest

from lib import made_chain, opp2p

KILLS = int(os.environ.get("OPP2P_KILLS", "6"))
SEED = int(os.environ.get("OPP2P_SEED", "1"))
LONGEST_LIFE = 5.0  # seconds after the start; the mesh takes one to form, and a gap is left to gossip for another
INTERVAL = 0.3  # seconds between two blocks; more often than a gap is filled, at four blocks a second, they would only pile up
BLOCK_SIZE = 2000
STORE_TESTS = opp2p.PROGRAM.parent / "unit" / "unit_opp2p_store"
OPEN_LIMIT = 1.0  # seconds from the start of the process to the line that says what was found


class Watcher(threading.Thread):
    """Notes the last head that the follower acknowledged over RPC."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.head = None
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            try:
                head = opp2p.rpc(self.port, "opp2p_status")["head"]
            except (OSError, ValueError):
                return  # it was killed while it answered
            self.head = (head["number"], head["hash"])
            time.sleep(0.005)


class Durability(unittest.TestCase):
    def start(self, follower):
        """Starts it and answers what its log says of the store, once it says so, and after how many seconds."""
        before = len(follower.log()) if follower.process else 0
        started = time.monotonic()
        follower.start()
        while time.monotonic() - started < 10:
            found = re.search(r'store opened".*', follower.log()[before:])
            if found:
                return found.group(0), time.monotonic() - started
            if follower.process.poll() is not None:
                self.fail(f"it does not start any more:\n{follower.log()[-2000:]}")
            time.sleep(0.002)
        self.fail("the store was not opened within 10 s")

    def network(self, blocks):
        """A sequencer, a follower of it, and who has the one publish a chain of that many blocks that the other receives."""
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        key, options, envelopes = made_chain.make(folder, blocks, BLOCK_SIZE)
        sequencer = made_chain.sequencer(folder / "sequencer", key, options)
        self.addCleanup(sequencer.kill)
        follower = opp2p.Node(folder / "follower", *options, "--p2p.static", sequencer.address).ready()
        self.addCleanup(follower.kill)
        feeder = made_chain.Feeder(sequencer, envelopes, INTERVAL)
        self.addCleanup(feeder.stopping.set)
        feeder.start()
        opp2p.wait_for(lambda: follower.head() > 0, 10, "the first block arrives")
        return sequencer, follower, feeder

    def stops_equal(self, sequencer, follower, feeder):
        """Ends the feeding and waits until the follower has all that was published, which it answers the number of."""
        feeder.stopping.set()
        feeder.join()
        self.assertIsNone(feeder.error)
        last = sequencer.head()
        opp2p.wait_for(lambda: follower.head() == last, 60, "the follower reaches the head")
        for first in range(1, last + 1, 1000):
            self.assertEqual(follower.rpc("opp2p_chain", first, 1000), sequencer.rpc("opp2p_chain", first, 1000))
        return last

    def test_nothing_acknowledged_is_lost_by_kill_9(self):
        moments = random.Random(SEED)
        sequencer, follower, feeder = self.network(KILLS * 12 + 300)
        openings, kept, acknowledged = [], None, 0
        with self.subTest(seed=SEED):
            for kill in range(KILLS):
                life = moments.uniform(0, LONGEST_LIFE)
                killed_at = time.monotonic() + life
                if moments.random() < 0.8:  # the others are killed before anybody could ask them
                    watcher = Watcher(follower.ready().port)
                    watcher.start()
                    time.sleep(max(0, killed_at - time.monotonic()))
                    follower.kill()
                    watcher.stopping.set()
                    watcher.join()
                    kept = watcher.head or kept
                else:
                    time.sleep(life / 20)
                    follower.kill()
                recovered, seconds = self.start(follower)
                openings.append(seconds)
                self.assertLess(seconds, OPEN_LIMIT, recovered)
                follower.ready()
                if kept is not None:
                    number, block = kept
                    acknowledged = max(acknowledged, number)
                    self.assertRegex(recovered, r'found="?\d+ blocks', "it says what it found")
                    self.assertEqual(follower.rpc("opp2p_chain", number, 1), [block], f"kill {kill}: block {number} was acknowledged")
        # A block that is published while nobody listens is known of only when a later one arrives.
        opp2p.wait_for(lambda: follower.status()["blocks"]["accepted"] > 0, 30, "blocks arrive after the last start")
        last = self.stops_equal(sequencer, follower, feeder)
        self.assertGreater(acknowledged, KILLS)
        follower.kill()
        checked = opp2p.run("db", "check", "--data-dir", follower.folder)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        print(f"{KILLS} kills, {last} blocks, opened after {max(openings) * 1000:.0f} ms at most; the last: {recovered}", flush=True)

    def test_the_store_is_whole_after_kills_in_reorganisations_rewinds_filled_holes_and_migrations(self):
        done = subprocess.run([STORE_TESTS, "--gtest_filter=StoreCrash.*"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, env={**os.environ, "OPP2P_KILLS": str(KILLS)}, timeout=60 + 3 * KILLS)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])

    def test_a_full_disk_is_told_and_forgotten_when_there_is_room(self):
        sequencer, follower, feeder = self.network(1500)
        opp2p.wait_for(lambda: follower.head() > 20, 30, "blocks arrive")
        # A limit of size stands in for the full disk: a write beyond it is cut short, the next is refused.
        resource.prlimit(follower.process.pid, resource.RLIMIT_FSIZE,
                         ((follower.folder / "blocks" / "data.mdb").stat().st_size + 2048, resource.RLIM_INFINITY))
        opp2p.wait_for(lambda: "the store cannot keep a block" in follower.log(), 30, "the log says that the disk is full")
        self.assertIn("bytes are free on that disk", follower.log())
        stopped = follower.head()
        chain = follower.rpc("opp2p_chain", 1, stopped)
        self.assertEqual(chain, sequencer.rpc("opp2p_chain", 1, stopped), "what is stored can be read")
        resource.prlimit(follower.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        opp2p.wait_for(lambda: follower.head() > stopped + 20, 60, "it goes on")
        last = self.stops_equal(sequencer, follower, feeder)
        follower.kill()
        self.assertIn(f"{last} blocks, 1 to {last}", self.start(follower)[0])


if __name__ == "__main__":
    unittest.main()
