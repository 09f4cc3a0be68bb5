"""Plaintext 2.0, which secures nothing, between this library and the libp2p of other languages; and who offers something else is
refused in order."""

import pathlib
import tempfile
import time
import unittest

from chain import SEQUENCER_KEY, write_config
from lib import opp2p
from peers import LOGS, OURS, Peer, needed
from test_libp2p import address_of

TESTS = ["identify", "ping", "echo", "half-close"]
PLAINTEXT = ["--security", "plaintext"]
NOISE = ["--security", "noise"]
SOMEBODY_ELSE = "12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf"


class Secured:
    """What holds with each implementation, of a security protocol that both name."""

    program = None
    secured = None  # the options that name it, alone
    protocol = None  # its id
    tests = TESTS
    our_options = []  # of us as the dialer
    tells_upgrade = True  # which security a connection has got
    names_both = True  # the peer that it wanted and the one that it found

    def assert_holds(self, dialer, address, *options):
        for test in self.tests:
            with self.subTest(test=test), Peer("dialer", dialer, "dial", address, "--test", test, *options) as peer:
                self.assertEqual(peer.finished(90), 0)

    def dial_fails(self, dialer, address, *options):
        """What the dialer says when it cannot connect."""
        with Peer("dialer", dialer, "dial", address, "--test", "echo", "--timeout", self.timeout_of(dialer), *options) as peer:
            self.assertNotEqual(peer.finished(60), 0)
            peer.drain()
            self.assertEqual(peer.seen, [])
        return (LOGS / "dialer.log").read_text(encoding="utf-8")

    def timeout_of(self, dialer):
        return "20s" if dialer.name == "golibp2p" else "20"

    def assert_speaks_it(self, listener):
        if self.tells_upgrade:
            connected = [line for line in listener.seen if line.get("event") == "connected"]
            self.assertEqual({line["security"] for line in connected}, {self.protocol})

    def test_it_dials_us(self):
        theirs = needed(self.program)
        with Peer("ours", OURS, "listen", *self.secured) as ours:
            self.assert_holds(theirs, address_of(ours), *self.secured)
            self.assertEqual(ours.stop(), 0)

    def test_we_dial_it(self):
        with Peer(self.program, needed(self.program), "listen", *self.secured) as listener:
            self.assert_holds(OURS, address_of(listener), *self.secured, *self.our_options)
            self.assertEqual(listener.stop(), 0)
            self.assert_speaks_it(listener)

    def test_each_dials_the_other_with_keys_of_secp256k1(self):
        theirs = needed(self.program)
        key = ["--key", "secp256k1"]
        for dialer, listener in ((theirs, OURS), (OURS, theirs)):
            with self.subTest(dialer=dialer.name), Peer("listener", listener, "listen", *self.secured, *key) as listening, \
                    Peer("dialer", dialer, "dial", address_of(listening), "--test", "echo", *self.secured, *key) as peer:
                self.assertEqual(peer.finished(90), 0)

    def test_another_peer_than_expected_is_refused_on_either_side(self):
        theirs = needed(self.program)
        for dialer, listener in ((theirs, OURS), (OURS, theirs)):
            with self.subTest(dialer=dialer.name), Peer("listener", listener, "listen", *self.secured) as listening:
                address = address_of(listening)
                said = self.dial_fails(dialer, address.rsplit("/", 1)[0] + "/" + SOMEBODY_ELSE, *self.secured)
                for part in [SOMEBODY_ELSE, address.rsplit("/", 1)[1]] if dialer == OURS or self.names_both else ["Unexpected Peer"]:
                    self.assertIn(part, said)
                self.assert_holds(dialer, address, *self.secured, *(self.our_options if dialer == OURS else []))

    def test_who_offers_only_noise_is_refused_in_order(self):
        theirs = needed(self.program)
        for dialer, listener in ((theirs, OURS), (OURS, theirs)):
            for offered, wanted in ((NOISE, self.secured), (self.secured, NOISE)):
                with self.subTest(dialer=dialer.name, offered=offered[1]), Peer("listener", listener, "listen", *offered) as listening:
                    address = address_of(listening)
                    said = self.dial_fails(dialer, address, *wanted)
                    if dialer == OURS:
                        self.assertIn("the peer speaks none of the proposed protocols", said)
                    # It was no more than a refusal: the listener goes on.
                    with Peer("dialer", dialer, "dial", address, "--test", "echo", *offered) as peer:
                        self.assertEqual(peer.finished(90), 0)

    def test_several_securities_on_our_side_find_the_one_that_is_shared(self):
        theirs = needed(self.program)
        name = self.secured[1]
        for mine, other in ((["--security", f"noise,{name}"], self.secured), (["--security", f"{name},noise"], NOISE)):
            with self.subTest(other=other[1]):
                with Peer("listener", theirs, "listen", *other) as listener:
                    self.assert_holds(OURS, address_of(listener), *mine, *self.our_options)
                with Peer("listener", OURS, "listen", *mine) as listener:
                    self.assert_holds(theirs, address_of(listener), *other)


class Plaintext(Secured):
    secured = PLAINTEXT
    protocol = "/plaintext/2.0.0"


class GoPlaintext(Plaintext, unittest.TestCase):
    program = "golibp2p"


class RustPlaintext(Plaintext, unittest.TestCase):
    program = "rustlibp2p"
    our_options = ["--unsigned"]
    tells_upgrade = False


class JsPlaintext(Plaintext, unittest.TestCase):
    program = "jslibp2p"
    names_both = False


class WithOpNode:
    """Each of the two dials once: op-node its static peer, then we ours."""

    def assert_blocks_go_both_ways(self, ours, theirs):
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            config = write_config(scratch / "rollup.json", fork="jovian", genesis_time=int(time.time()) + 1, block_time=1)
            options = ["--rollup.config", config, "--p2p.security", ours]
            with opp2p.Node(scratch / "dialled", *options) as dialled:
                with Peer("opnode-sequencer", needed("opnode-peer"), "--rollup.config", config, "--sequencer.key", SEQUENCER_KEY,
                          "--produce", "--security", theirs, "--static", dialled.ready(60).address) as sequencer:
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


class OpNodePlaintext(WithOpNode, unittest.TestCase):
    def test_a_node_without_security_takes_the_blocks_of_an_op_node_without(self):
        self.assert_blocks_go_both_ways("none", "none")


if __name__ == "__main__":
    unittest.main()
