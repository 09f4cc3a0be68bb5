"""Mplex, which holds no sender back, between this library and the libp2p of other languages, and beside op-node."""

import pathlib
import tempfile
import time
import unittest

from chain import SEQUENCER_KEY, write_config
from lib import opp2p
from peers import OURS, Peer, needed
from test_libp2p import TESTS, address_of

MPLEX = ["--mux", "mplex"]


class Mplex:
    """What holds with each implementation."""

    program = None
    options = []  # of what is dialled, whoever dials
    our_options = []  # of us as the dialer
    tells_upgrade = True  # which muxer a connection has got
    told_muxer = "/mplex/6.7.0"

    not_as_listener = set()  # tests that it cannot hold as the one that is dialled

    def assert_holds(self, dialer, address, tests, *options):
        for name in tests:
            with self.subTest(test=name):
                with Peer("dialer", dialer, "dial", address, "--test", name, *self.options, *options) as peer:
                    code = peer.finished(120)
                    peer.drain()
                self.assertEqual((code, [line.get("error") for line in peer.seen if "test" in line]), (0, [None]))

    def muxers_told(self, listener):
        return {line["muxer"] for line in listener.seen if line.get("event") == "connected"}

    def test_it_dials_us(self):
        theirs = needed(self.program)
        with Peer("ours", OURS, "listen", *MPLEX) as ours:
            self.assert_holds(theirs, address_of(ours), TESTS, *MPLEX)
            ours.wait_event("disconnected", 60)
            self.assertEqual(ours.stop(), 0)

    def test_we_dial_it(self):
        with Peer(self.program, needed(self.program), "listen", *MPLEX) as listener:
            tests = [name for name in TESTS if name not in self.not_as_listener]
            self.assert_holds(OURS, address_of(listener), tests, *MPLEX, *self.our_options)
            listener.wait_event("disconnected", 60)
            self.assertEqual(listener.stop(), 0)
            if self.tells_upgrade:
                self.assertEqual(self.muxers_told(listener), {self.told_muxer})

    def test_several_muxers_on_our_side_find_the_one_that_is_shared(self):
        theirs = needed(self.program)
        for mine in ("yamux,mplex", "mplex,yamux"):
            for other, told in (("mplex", self.told_muxer), ("yamux", "/yamux/1.0.0")):
                with self.subTest(mine=mine, other=other):
                    with Peer("listener", theirs, "listen", "--mux", other) as listener:
                        with Peer("dialer", OURS, "dial", address_of(listener), "--test", "echo", "--mux", mine, *self.our_options) as dialer:
                            self.assertEqual(dialer.finished(90), 0)
                        listener.wait_event("disconnected", 60)
                        if self.tells_upgrade:
                            self.assertEqual(self.muxers_told(listener), {told})
                    with Peer("listener", OURS, "listen", "--mux", mine) as listener:
                        with Peer("dialer", theirs, "dial", address_of(listener), "--test", "echo", "--mux", other) as dialer:
                            self.assertEqual(dialer.finished(90), 0)

    def test_who_offers_only_yamux_is_refused_and_the_listener_goes_on(self):
        theirs = needed(self.program)
        for dialer, listener in ((theirs, OURS), (OURS, theirs)):
            for offered, wanted in (("yamux", "mplex"), ("mplex", "yamux")):
                with self.subTest(dialer=dialer.name, offered=offered):
                    with Peer("listener", listener, "listen", "--mux", offered) as listening:
                        address = address_of(listening)
                        seconds = "20s" if dialer.name == "golibp2p" else "20"
                        with Peer("dialer", dialer, "dial", address, "--test", "echo", "--timeout", seconds, "--mux", wanted) as peer:
                            self.assertNotEqual(peer.finished(60), 0)
                            peer.drain()
                            self.assertEqual([line for line in peer.seen if line.get("ok")], [])
                        with Peer("dialer", dialer, "dial", address, "--test", "echo", "--mux", offered,
                                  *(self.our_options if dialer == OURS else [])) as peer:
                            self.assertEqual(peer.finished(90), 0)


class GoMplex(Mplex, unittest.TestCase):
    program = "golibp2p"
    # go-mplex 0.7 loses the input buffers of a stream that it resets with unread data; after four of them its connection takes no more.
    not_as_listener = {"unsupported"}


class RustMplex(Mplex, unittest.TestCase):
    program = "rustlibp2p"
    options = ["--streams", 100]  # its Mplex takes 128
    our_options = ["--unsigned"]
    tells_upgrade = False


class OpNodeMplex(unittest.TestCase):
    def test_a_node_that_offers_mplex_takes_the_blocks_of_an_op_node_that_speaks_nothing_else(self):
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            config = write_config(scratch / "rollup.json", fork="jovian", genesis_time=int(time.time()) + 1, block_time=1)
            with Peer("opnode-sequencer", needed("opnode-peer"), "--rollup.config", config, "--sequencer.key", SEQUENCER_KEY, "--produce",
                      "--mux", "mplex") as sequencer:
                ready = sequencer.wait_event("ready", 60)
                with opp2p.Node(scratch / "node", "--rollup.config", config, "--p2p.mux", "yamux,mplex", "--p2p.static", ready["addr"],
                                "--p2p.unsafe.block.signer", ready["signer"]) as node:
                    node.ready(60)
                    last = sequencer.wait_event("published", 60)["number"] + 4
                    theirs = sequencer.wait_event("published", 60, number=last)["hash"]
                    opp2p.wait_for(lambda: node.head() >= last, 60, f"our node has block {last}")
                    self.assertEqual(node.rpc("opp2p_chain", last, 1), [theirs])
                    (peer,) = sequencer.ask("peers", peers=True)["peers"]
                    self.assertEqual((peer["peer"], peer["muxer"]), (node.peer_id, "/mplex/6.7.0"))
                self.assertEqual(sequencer.stop(), 0)


if __name__ == "__main__":
    unittest.main()
