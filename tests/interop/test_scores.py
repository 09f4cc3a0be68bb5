"""Scores over real sockets: a peer that breaks the rules of gossip gets none and is not heard, the log says why, and nobody else notices.
The sequencer and a follower are op-node's own package."""

import pathlib
import tempfile
import time
import unittest

from chain import SEQUENCER_KEY, write_config
from lib import opp2p
from peers import Peer, needed

TOPIC = "/optimism/901/3/blocks"
BLOCK_TIME = 2  # op-node's `light` decays once a block
FELL, ROSE = "the score of a peer fell below a threshold", "the score of a peer is above a threshold again"


class Rude(Peer):
    """golibp2p rude: a go-libp2p host that writes the gossip RPCs it is told to, and has no router."""

    def __init__(self, address, topic=TOPIC):
        super().__init__("rude", needed("golibp2p"), "rude", address, "--topic", topic)
        self.id = self.wait_event("ready", 30)["peer_id"]

    def send(self, **rpc):
        self.command(**rpc)
        self.wait_event("sent", 30)

    def count(self, kind):
        """What it has been sent of a kind so far."""
        self.take_waiting()
        return sum(line[kind] for line in self.seen if line.get("event") == "rpc")


class Scores(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.config = write_config(self.scratch / "rollup.json", fork="isthmus", genesis_time=int(time.time()), block_time=BLOCK_TIME)

    def start(self, *options):
        """An op-node that sequences, our node, and an op-node that has its blocks from ours."""
        self.sequencer = self.enterContext(Peer("opnode-sequencer", needed("opnode-peer"), "--rollup.config", self.config,
                                                "--sequencer.key", SEQUENCER_KEY, "--produce"))
        ready = self.sequencer.wait_event("ready", 60)
        self.node = self.enterContext(opp2p.Node(self.scratch / "node", "--rollup.config", self.config, "--p2p.static", ready["addr"],
                                                 "--p2p.unsafe.block.signer", ready["signer"], *options).ready(60))
        self.follower = self.enterContext(Peer("opnode-follower", needed("opnode-peer"), "--rollup.config", self.config, "--signer",
                                               ready["signer"], "--static", self.node.address))
        self.sequencer_id = ready["peer_id"]
        self.follower_id = self.follower.wait_event("ready", 60)["peer_id"]

    def scores(self, peer):
        return self.node.rpc("opp2p_peers", True)["peers"][peer]["scores"]["gossip"]

    def lines(self, message, *texts):
        return [line for line in self.node.log().splitlines() if message in line and all(text in line for text in texts)]

    def wait_for_line(self, message, *texts):
        return opp2p.wait_for(lambda: self.lines(message, *texts), 30, f"the log says {message!r} with {texts}")[0]

    def wait_for_decay(self, rude):
        """Until the behaviour penalty has just become less: what is added now stays for a block time."""
        penalty = opp2p.wait_for(lambda: self.scores(rude.id)["behavioralPenalty"], 10, "it has a penalty")
        opp2p.wait_for(lambda: self.scores(rude.id)["behavioralPenalty"] < penalty, 10, "the penalty decays")

    def topic_peers(self):
        return self.node.rpc("opp2p_peerStats")["blocksTopicV4"]

    def begin(self):
        """A peer that is in our mesh and gets blocks."""
        rude = self.enterContext(Rude(self.node.address))
        rude.send(subscribe=True, graft=True)
        opp2p.wait_for(lambda: rude.count("messages") > 0, 30, "it gets a block")
        opp2p.wait_for(lambda: self.topic_peers() == 3, 30, "three peers are in the topic")
        return rude

    def assert_closed(self, rude):
        """Nothing goes to it and nothing is taken from it, while the others get their blocks."""
        before = {kind: rude.count(kind) for kind in ("messages", "ihave", "iwant", "prune")}
        block = self.sequencer.wait_event("published", 30)
        self.follower.wait_event("payload", 30, hash=block["hash"])
        rude.send(graft=True, ihave=True)
        time.sleep(1)  # two heartbeats
        self.assertEqual({kind: rude.count(kind) for kind in before}, before)

    def assert_others_have_no_penalty(self):
        for peer in (self.sequencer_id, self.follower_id):
            self.assertEqual(self.scores(peer), {"total": 0, "IPColocationFactor": 0, "behavioralPenalty": 0, "blocks": {
                "timeInMesh": 0, "firstMessageDeliveries": 0, "meshMessageDeliveries": 0, "invalidMessageDeliveries": 0}})
            self.assertEqual(self.lines("score of a peer", peer), [])

    def test_grafts_in_the_backoff_close_gossip_step_by_step_and_time_opens_it_again(self):
        self.start()
        rude = self.begin()
        # Each GRAFT this soon after its PRUNE adds 2 to the behaviour penalty, of which 6 cost nothing.
        rude.send(prune=True, backoff=60)
        rude.send(graft=True, times=3)
        self.wait_for_decay(rude)
        self.assertEqual(self.lines(FELL), [])
        rude.send(graft=True)
        line = self.wait_for_line(FELL, f"peer={rude.id}", "threshold=gossip", "threshold_score=-10")
        for text in ("lvl=warn", "component=gossip", "p7_behaviour=-", "p7_penalties=7.", "effect=\"no gossip goes to the peer"):
            self.assertIn(text, line)
        rude.send(graft=True, times=2)
        line = self.wait_for_line(FELL, f"peer={rude.id}", "threshold=graylist", "threshold_score=-40")
        self.assertIn("effect=\"all that the peer sends by gossip is ignored", line)
        score = self.scores(rude.id)
        self.assertLess(score["total"], -40)
        self.assertGreater(score["behavioralPenalty"], 8)
        self.assert_closed(rude)
        self.assertEqual(len(self.lines(FELL)), 2, "a crossing is told once")
        # The penalty decays by 7.4 % a block.
        self.wait_for_line(ROSE, f"peer={rude.id}", "threshold=graylist", "effect=\"no gossip goes to the peer")
        self.wait_for_line(ROSE, f"peer={rude.id}", "threshold=gossip", "effect=\"the peer counts again as any other")
        asked = rude.count("iwant")
        rude.send(ihave=True)
        opp2p.wait_for(lambda: rude.count("iwant") > asked, 10, "it is heard again")
        self.assert_others_have_no_penalty()

    def test_promises_that_are_not_kept_close_gossip_at_once(self):
        self.start("--p2p.scoring", "light")
        rude = self.begin()
        # Ten adverts of messages that nobody has: we ask for each, and after three seconds each is a broken promise.
        rude.send(ihave=True, times=10)
        line = self.wait_for_line(FELL, f"peer={rude.id}", "threshold=graylist")
        self.assertIn("p7_penalties=", line)
        self.assertEqual(rude.count("iwant"), 10)
        self.assert_closed(rude)
        self.assert_others_have_no_penalty()

    def test_without_scores_nothing_is_closed(self):
        self.start("--p2p.scoring", "none")
        rude = self.begin()
        rude.send(prune=True, backoff=60)
        prunes = rude.count("prune")
        rude.send(graft=True, times=20)
        opp2p.wait_for(lambda: rude.count("prune") > prunes, 10, "each GRAFT is answered")
        rude.send(ihave=True)
        opp2p.wait_for(lambda: rude.count("iwant") > 0, 10, "its adverts are taken up")
        self.assertIsNone(self.scores(rude.id)["total"])
        self.assertEqual(self.lines("score of a peer"), [])


if __name__ == "__main__":
    unittest.main()
