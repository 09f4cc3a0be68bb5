"""The real peers against each other, so that a failing test against our program tells about our program."""

import pathlib
import tempfile
import time
import unittest

from chain import SEQUENCER_KEY, TOPIC_OF_FORK, write_config
from peers import Peer, needed


def libp2p(test, dialer, listener, *options, transport=()):
    with Peer("listener", listener, "listen", *transport) as listening:
        address = listening.wait_for(lambda line: "addr" in line, 60, "address")["addr"]
        with Peer("dialer", dialer, "dial", address, "--test", "all", *options, *transport) as dialling:
            test.assertEqual(dialling.finished(180), 0)
        test.assertEqual(listening.stop(), 0)


def go_libp2p(test, security, muxer):
    go = needed("golibp2p")
    libp2p(test, go, go, transport=["--security", security, "--mux", muxer])


def op_node(test, fork):
    """A follower gets a sequencer's blocks, a node that expects another signer refuses them."""
    program = needed("opnode-peer")
    with tempfile.TemporaryDirectory() as scratch:
        config = write_config(pathlib.Path(scratch) / "rollup.json", fork=fork, genesis_time=int(time.time()) - 20, block_time=1)
        options = [program, "--rollup.config", config]
        with Peer("opnode-sequencer", *options, "--sequencer.key", SEQUENCER_KEY, "--produce") as sequencer:
            ready = sequencer.wait_event("ready", 60)
            with Peer("opnode-follower", *options, "--signer", ready["signer"], "--static", ready["addr"]) as follower, \
                    Peer("opnode-stranger", *options, "--signer", "0x" + "12" * 20) as stranger:
                follower.wait_event("connected", 60, peer=ready["peer_id"])
                first = sequencer.wait_event("published", 60)["number"]
                for number in range(first + 2, first + 5):
                    theirs = sequencer.wait_event("published", 60, number=number)
                    ours = follower.wait_event("payload", 60, number=number)
                    test.assertEqual((ours["hash"], ours["peer"]), (theirs["hash"], ready["peer_id"]))
                stranger.wait_event("ready", 60)
                test.assertTrue(stranger.ask("result", connect=ready["addr"])["ok"])
                sequencer.wait_event("published", 60, number=first + 8)
                stats = stranger.ask("stats", stats=True)
                test.assertEqual(stats["accepted"], 0)
                test.assertGreater(stats["gossip"].get("REJECT_MESSAGE", 0), 0)
                test.assertGreaterEqual(follower.ask("stats", stats=True)["topic_peers"][TOPIC_OF_FORK[fork]], 1)
                test.assertEqual([stranger.stop(), follower.stop()], [0, 0])
            test.assertEqual(sequencer.stop(), 0)


class PeersAlone(unittest.TestCase):
    def test_go_libp2p(self):
        go_libp2p(self, "noise", "yamux")

    def test_op_node(self):
        op_node(self, "isthmus")


if __name__ == "__main__":
    unittest.main()
