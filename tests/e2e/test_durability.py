"""kill -9 at random moments of a follower that receives a block every few milliseconds: nothing that it acknowledged is lost.

OPP2P_KILLS says how often (6), OPP2P_SEED when (1); a failure prints the seed.
"""

import os
import pathlib
import random
import re
import tempfile
import threading
import time
import unittest

from lib import made_chain, opp2p

KILLS = int(os.environ.get("OPP2P_KILLS", "6"))
SEED = int(os.environ.get("OPP2P_SEED", "1"))
LONGEST_LIFE = 5.0  # seconds after the start; the mesh takes one to form, and a gap is left to gossip for another
INTERVAL = 0.03  # seconds between two blocks
BLOCK_SIZE = 2000
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

    def test_nothing_acknowledged_is_lost_by_kill_9(self):
        moments = random.Random(SEED)
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        key, options, envelopes = made_chain.make(folder, KILLS * 110 + 400, BLOCK_SIZE)
        sequencer = made_chain.sequencer(folder / "sequencer", key, options)
        self.addCleanup(sequencer.kill)
        follower = opp2p.Node(folder / "follower", *options, "--p2p.static", sequencer.address).ready()
        self.addCleanup(follower.kill)
        feeder = made_chain.Feeder(sequencer.port, envelopes, INTERVAL)
        self.addCleanup(feeder.stopping.set)
        feeder.start()
        opp2p.wait_for(lambda: follower.head() > 0, 10, "the first block arrives")
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
        feeder.stopping.set()
        feeder.join()
        self.assertIsNone(feeder.error)
        last = sequencer.head()
        opp2p.wait_for(lambda: follower.head() == last, 60, "the follower reaches the head")
        for first in range(1, last + 1, 1000):
            self.assertEqual(follower.rpc("opp2p_chain", first, 1000), sequencer.rpc("opp2p_chain", first, 1000))
        self.assertGreater(acknowledged, KILLS)
        print(f"{KILLS} kills, {last} blocks, opened after {max(openings) * 1000:.0f} ms at most; the last: {recovered}", flush=True)


if __name__ == "__main__":
    unittest.main()
