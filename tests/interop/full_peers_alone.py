"""The real peers against each other: the other transports, the other forks, and op-node v1.19.0's sync client."""

import pathlib
import tempfile
import time
import unittest

from chain import FORKS, SEQUENCER_KEY, write_config
from peers import Peer, needed
from test_peers_alone import go_libp2p, libp2p, op_node


class PeersAloneInFull(unittest.TestCase):
    def test_go_libp2p_over_every_transport(self):
        for security in ("noise", "tls", "plaintext"):
            for muxer in ("yamux", "mplex"):
                with self.subTest(security=security, muxer=muxer):
                    go_libp2p(self, security, muxer)

    def test_the_libp2p_of_other_languages(self):
        # golibp2p wants a signed record, which Rust does not send. Rust resets streams on which JavaScript sends much.
        for dialer, listener in (("golibp2p", "jslibp2p"), ("jslibp2p", "golibp2p"), ("rustlibp2p", "golibp2p")):
            with self.subTest(dialer=dialer, listener=listener):
                libp2p(self, needed(dialer), needed(listener), "--streams", 400, "--bytes", 20_000_000)

    def test_op_node_on_every_fork(self):
        for fork in FORKS:
            with self.subTest(fork=fork):
                op_node(self, fork)

    def test_the_old_client_fills_a_gap_from_op_node(self):
        server, client = needed("opnode-peer"), needed("opnode-sync-client")
        for fork in FORKS:
            with self.subTest(fork=fork), tempfile.TemporaryDirectory() as scratch:
                config = write_config(pathlib.Path(scratch) / "rollup.json", fork=fork, genesis_time=int(time.time()) - 100)
                with Peer("opnode-server", server, "--rollup.config", config, "--sequencer.key", SEQUENCER_KEY,
                          "--produce") as sequencer:
                    ready = sequencer.wait_event("ready", 60)
                    with Peer("opnode-sync-client", client, "--rollup.config", config, "--connect", ready["addr"],
                              "--signer", ready["signer"]) as syncer:
                        done = syncer.wait_event("done", 120)
                        self.assertTrue(done["ok"])
                        self.assertGreaterEqual(done["blocks"], 49)
                        self.assertEqual(syncer.finished(90), 0)
                    self.assertEqual(sequencer.stop(), 0)


if __name__ == "__main__":
    unittest.main()
