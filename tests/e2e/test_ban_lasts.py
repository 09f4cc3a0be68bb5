"""A peer that gossips invalid blocks is banned with the reason on record. The ban holds over a kill and a restart until it ends, and then the
peer may come back and begins anew. Honest peers stay."""

import json
import pathlib
import tempfile
import time
import unittest

from lib import made_chain, opp2p, prometheus_text
from lib.intruder import Intruder

BLOCKS = 300  # one each second: more than the test takes
BAN = 20  # seconds
TO_BAN = 8  # blamed messages (docs/reputation.md)
OPTIONS = ["--p2p.scoring", "opp2p", "--p2p.ban.duration", f"{BAN}s", "--metrics.enabled", "--metrics.addr", "127.0.0.1", "--metrics.port", "0"]


class BanLasts(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def start_chain(self, *more):
        """A sequencer, the node between, and an honest peer that is nobody's static peer there."""
        self.chain = made_chain.Chain(self.folder, BLOCKS, genesis=int(time.time()) + 5)
        self.sequencer = made_chain.sequencer(self.folder / "sequencer", self.chain.signer_key, self.chain.options)
        self.addCleanup(self.sequencer.kill)
        self.node = opp2p.Node(self.folder / "node", *self.chain.options, *OPTIONS, *more, "--p2p.static", self.sequencer.address).ready(30)
        self.addCleanup(self.node.kill)
        self.node.listen_port = int(self.node.address.split("/")[4])  # after a restart too
        self.honest = opp2p.Node(self.folder / "honest", *self.chain.options, "--p2p.scoring", "opp2p", "--p2p.static", self.node.address)
        self.addCleanup(self.honest.kill)
        self.honest.ready(30)
        feeder = made_chain.Feeder(self.sequencer, self.chain.envelopes, 1)
        feeder.start()
        self.addCleanup(feeder.join)
        self.addCleanup(feeder.stopping.set)
        self.wait_for_block(self.node)
        self.wait_for_block(self.honest)

    def wait_for_block(self, node):
        before = node.head()
        opp2p.wait_for(lambda: node.head() > before, 60, f"{node.folder.name} gets the next block")

    def bans(self):
        done = opp2p.run("bans", "--json", "--data-dir", self.node.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {ban["peer"]: ban for ban in json.loads(done.stdout)}

    def peers(self):
        return self.node.rpc("opp2p_peers", True)["peers"]

    def ban_of_intruder(self):
        """What is on record; nobody else is ever banned, or below zero."""
        bans = self.bans()
        self.assertLessEqual(set(bans), {self.intruder.peer_id})
        for peer, told in self.peers().items():
            if peer != self.intruder.peer_id:
                self.assertGreaterEqual(told["scores"]["gossip"]["total"], 0, peer)
        return bans.get(self.intruder.peer_id)

    def assert_has_reason(self, ban):
        self.assertEqual(ban["rule"], "blamed_messages")
        self.assertAlmostEqual(ban["until"] - ban["since"], BAN, delta=1)
        self.assertGreaterEqual(len(ban["evidence"]), TO_BAN)
        messages = {fault["messageID"] for fault in ban["evidence"]}
        self.assertEqual(len(messages), len(ban["evidence"]), "each fault names a message of its own")
        for fault in ban["evidence"]:
            self.assertRegex(fault["messageID"], "^(0x)?[0-9a-f]{40}$")
            self.assertTrue(fault["text"])
        kinds = {fault["kind"] for fault in ban["evidence"]}
        self.assertNotIn("too_old", kinds, "nobody is blamed for a stale block")
        self.assertGreaterEqual(len(kinds), 2, kinds)
        self.assertIn(self.intruder.peer_id, opp2p.run("bans", "--data-dir", self.node.folder).stdout)

    def refused(self):
        families = prometheus_text.read(self.node.metrics())
        family = families.get("opp2p_gate_refusals_total")
        return sum(count for (_, labels), count in family.samples.items() if dict(labels)["rule"] == "peer_ban") if family else 0

    def test_a_ban_holds_over_a_kill_until_it_ends_and_the_peer_then_begins_anew(self):
        self.start_chain()
        self.intruder = Intruder(self.folder / "intruder", self.chain.config, self.chain.signer_key, [self.node.address])
        self.addCleanup(self.intruder.end)
        first = opp2p.wait_for(self.ban_of_intruder, 120, "the intruder is banned")
        self.assert_has_reason(first)
        self.assertNotIn(self.intruder.peer_id, self.peers())

        self.node.kill()
        self.node.start().ready(30)
        self.assertLess(time.time(), first["until"] - 1, "the machine is too slow: the ban ended while the node started")
        self.assertEqual(self.ban_of_intruder(), first, "the record is what it was")
        opp2p.wait_for(lambda: self.refused() >= 1, first["until"] - time.time(), "a connection of the banned peer is refused")
        opp2p.wait_for(lambda: {self.sequencer.peer_id, self.honest.peer_id} <= set(self.peers()), 60, "honest peers are back")
        self.wait_for_block(self.node)
        self.wait_for_block(self.honest)

        while time.time() < first["until"] - 0.5:
            self.assertNotIn(self.intruder.peer_id, self.peers())
            self.assertEqual(self.ban_of_intruder(), first)
            time.sleep(0.2)
        opp2p.wait_for(lambda: self.intruder.peer_id in self.peers(), 30, "it is let in when its ban has ended")
        returned = time.time()
        self.assertGreaterEqual(returned, first["until"])

        # Only new faults count: it takes as many as at the first time.
        second = opp2p.wait_for(self.ban_of_intruder, 120, "it is banned again")
        self.assert_has_reason(second)
        self.assertGreaterEqual(min(fault["time"] for fault in second["evidence"]), first["until"])
        self.assertGreaterEqual(second["since"], first["until"])
        self.wait_for_block(self.honest)
        self.assertEqual(self.honest.stop(20), 0)
        self.assertEqual(self.node.stop(20), 0)

    def test_the_scores_of_a_peer_that_is_gone_are_told_after_a_restart(self):
        self.start_chain("--p2p.ban.peers=false")
        self.intruder = Intruder(self.folder / "intruder", self.chain.config, self.chain.signer_key, [self.node.address])
        self.addCleanup(self.intruder.end)
        total = lambda known: known[self.intruder.peer_id]["scores"]["gossip"]["total"]
        opp2p.wait_for(lambda: self.intruder.peer_id in self.peers() and total(self.peers()) < -10, 60, "the intruder has a low score")
        self.intruder.end()
        self.assertEqual(self.node.stop(20), 0)
        self.node.start().ready(30)
        self.assertNotIn(self.intruder.peer_id, self.peers())
        self.assertLess(total(self.node.rpc("opp2p_peers", False)["peers"]), -5, "nearly all of it is left")
        line = next(line for line in opp2p.run("peers", "--all", "--data-dir", self.node.folder).stdout.splitlines()
                    if self.intruder.peer_id[-8:] in line)
        self.assertRegex(line, r"-\d+\.\d")


if __name__ == "__main__":
    unittest.main()
