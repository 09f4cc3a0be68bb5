"""An honest node that is stopped in order and started again within seconds, three times: its peers hold nothing against it."""

import pathlib
import tempfile
import time
import unittest

from lib import made_chain, opp2p

OPTIONS = ["--p2p.scoring", "opp2p"]


class Restarts(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.chain = made_chain.Chain(self.folder, 1)

    def start(self, name, *options):
        node = opp2p.Node(self.folder / name, *self.chain.options, *made_chain.OPTIONS, *OPTIONS, *options).ready(30)
        self.addCleanup(node.kill)
        return node

    def opinions(self, peer_id):
        """What each of the others thinks of the peer, where it is connected: the total score and the penalties of its behaviour."""
        told = [node.rpc("opp2p_peers", True)["peers"].get(peer_id) for node in self.others]
        return [(peer["scores"]["gossip"]["total"], peer["scores"]["gossip"]["behavioralPenalty"]) for peer in told if peer]

    def test_a_node_that_is_back_within_seconds_is_not_penalised(self):
        self.others = [self.start("first"), self.start("second")]
        node = self.start("restarted", "--p2p.static", ",".join(other.address for other in self.others))
        opp2p.wait_for(lambda: node.rpc("opp2p_status")["mesh"] == 2, 30, "the mesh stands")
        for _ in range(3):
            self.assertEqual(node.stop(30), 0)
            node.start().ready(30)
            opp2p.wait_for(lambda: len(self.opinions(node.peer_id)) == 2, 30, "both have it as a peer again")
            until = time.monotonic() + 2  # it would graft at its first heartbeats
            while time.monotonic() < until:
                for total, penalty in self.opinions(node.peer_id):
                    self.assertGreaterEqual(total, 0)
                    self.assertEqual(penalty, 0)
                time.sleep(0.1)
        opp2p.wait_for(lambda: node.rpc("opp2p_status")["mesh"] == 2, 30, "it is in the mesh again when its backoff of 10 s is over")
        self.assertEqual({penalty for _, penalty in self.opinions(node.peer_id)}, {0})


if __name__ == "__main__":
    unittest.main()
