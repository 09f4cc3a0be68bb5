"""TLS 1.3 between this library and the libp2p of other languages, and between nodes and op-node."""

import pathlib
import tempfile
import time
import unittest

from chain import SEQUENCER_KEY, write_config
from lib import opp2p
from peers import OURS, Peer, needed
from test_libp2p import address_of
from test_plaintext import NOISE, SOMEBODY_ELSE, Plaintext

TESTS = ["identify", "ping", "echo", "reset", "half-close", "bulk"]
TLS = ["--security", "tls"]
KEYS = ["ed25519", "secp256k1"]


class Tls(Plaintext):
    """What holds with each implementation."""

    def assert_holds(self, dialer, address, *options):
        for test in TESTS:
            with self.subTest(test=test), Peer("dialer", dialer, "dial", address, "--test", test, *options) as peer:
                self.assertEqual(peer.finished(90), 0)

    def test_it_dials_us(self):
        theirs = needed(self.program)
        with Peer("ours", OURS, "listen", *TLS) as ours:
            self.assert_holds(theirs, address_of(ours), *TLS)
            self.assertEqual(ours.stop(), 0)

    def test_we_dial_it(self):
        with Peer(self.program, needed(self.program), "listen", *TLS) as listener:
            self.assert_holds(OURS, address_of(listener), *TLS, *self.our_options)
            self.assertEqual(listener.stop(), 0)
            if self.tells_upgrade:
                connected = [line for line in listener.seen if line.get("event") == "connected"]
                self.assertEqual({line["security"] for line in connected}, {"/tls/1.0.0"})

    def test_each_dials_the_other_with_keys_of_secp256k1(self):
        theirs = needed(self.program)
        key = ["--key", "secp256k1"]
        for dialer, listener in ((theirs, OURS), (OURS, theirs)):
            with self.subTest(dialer=dialer.name), Peer("listener", listener, "listen", *TLS, *key) as listening, \
                    Peer("dialer", dialer, "dial", address_of(listening), "--test", "echo", *TLS, *key) as peer:
                self.assertEqual(peer.finished(90), 0)

    def test_another_peer_than_expected_is_refused_on_either_side(self):
        theirs = needed(self.program)
        for dialer, listener in ((theirs, OURS), (OURS, theirs)):
            with self.subTest(dialer=dialer.name), Peer("listener", listener, "listen", *TLS) as listening:
                address = address_of(listening)
                said = self.dial_fails(dialer, address.rsplit("/", 1)[0] + "/" + SOMEBODY_ELSE, *TLS)
                if dialer == OURS:
                    self.assertIn(f"the peer is {address.rsplit('/', 1)[1]}, not {SOMEBODY_ELSE}", said)
                with Peer("dialer", dialer, "dial", address, "--test", "echo", *TLS) as peer:  # the listener goes on
                    self.assertEqual(peer.finished(90), 0)

    def test_who_offers_only_noise_is_refused_in_order(self):
        theirs = needed(self.program)
        for dialer, listener in ((theirs, OURS), (OURS, theirs)):
            with self.subTest(dialer=dialer.name), Peer("listener", listener, "listen", *TLS) as listening:
                address = address_of(listening)
                self.dial_fails(dialer, address, *NOISE)
                with Peer("dialer", dialer, "dial", address, "--test", "echo", *TLS) as peer:
                    self.assertEqual(peer.finished(90), 0)

    def test_several_securities_on_our_side_find_the_one_that_is_shared(self):
        theirs = needed(self.program)
        for mine in (["--security", "noise,tls"], ["--security", "tls,noise"]):
            for other in (TLS, NOISE):
                with self.subTest(mine=mine[1], other=other[1]):
                    with Peer("listener", theirs, "listen", *other) as listener, \
                            Peer("dialer", OURS, "dial", address_of(listener), "--test", "echo", *mine, *self.our_options) as peer:
                        self.assertEqual(peer.finished(90), 0)
                    with Peer("listener", OURS, "listen", *mine) as listener, \
                            Peer("dialer", theirs, "dial", address_of(listener), "--test", "echo", *other) as peer:
                        self.assertEqual(peer.finished(90), 0)


class GoTls(Tls, unittest.TestCase):
    program = "golibp2p"


class OpNodeTls(unittest.TestCase):
    def test_blocks_go_both_ways_between_op_node_and_a_node_that_prefers_tls(self):
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            config = write_config(scratch / "rollup.json", fork="jovian", genesis_time=int(time.time()) + 1, block_time=1)
            options = ["--rollup.config", config, "--p2p.security", "tls,noise"]
            with opp2p.Node(scratch / "dialled", *options) as dialled:
                with Peer("opnode-sequencer", needed("opnode-peer"), "--rollup.config", config, "--sequencer.key", SEQUENCER_KEY,
                          "--produce", "--security", "tls", "--static", dialled.ready(60).address) as sequencer:
                    ready = sequencer.wait_event("ready", 60)
                    with opp2p.Node(scratch / "dialling", *options, "--p2p.static", ready["addr"], "--p2p.unsafe.block.signer",
                                    ready["signer"]) as dialling:
                        dialling.ready(60)
                        last = sequencer.wait_event("published", 60)["number"] + 4
                        theirs = sequencer.wait_event("published", 60, number=last)["hash"]
                        opp2p.wait_for(lambda: dialling.head() >= last, 60, f"our node has block {last}")
                        self.assertEqual(dialling.rpc("opp2p_chain", last, 1), [theirs])
                        peers = sequencer.ask("peers", peers=True)["peers"]
                        self.assertEqual({peer["peer"] for peer in peers}, {dialled.peer_id, dialling.peer_id})
                    self.assertEqual(sequencer.stop(), 0)


if __name__ == "__main__":
    unittest.main()
