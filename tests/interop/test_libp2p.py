"""This library and the libp2p of other languages, each as the one that dials and the one that listens."""

import unittest

from lib import opp2p
from peers import OURS, Peer, needed

TESTS = ["identify", "ping", "echo", "reset", "half-close", "streams", "bulk", "perf", "unsupported"]
SPOKEN_BY_ALL = {"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"}
SPOKEN_IN_TESTS = SPOKEN_BY_ALL | {"/echo/1.0.0", "/sink/1.0.0", "/reset/1.0.0", "/half-close/1.0.0", "/perf/1.0.0"}


def address_of(listener):
    return listener.wait_for(lambda line: "addr" in line, 60, "address")["addr"]


class Implementation:
    """What holds with each of them. They take the same words (interop/README.md)."""

    program = None
    agent = None
    keys = ["ed25519", "secp256k1"]
    options = []  # of what is dialled, whoever dials
    our_options = []  # of us as the dialer
    tells_upgrade = True  # which security and muxer a connection has got
    signs_records = True  # as the specification says, and as all others do

    def assert_holds(self, dialer, address, *options):
        """Runs every test of the dialer against the address; each is reported by itself."""
        with Peer("dialer", dialer, "dial", address, "--test", "all", *self.options, *options) as peer:
            code = peer.finished(180)
            peer.drain()
            results = {line["test"]: line for line in peer.seen if "test" in line}
        for name in TESTS:
            with self.subTest(test=name):
                self.assertIn(name, results)
                self.assertTrue(results[name]["ok"], results[name].get("error"))
        self.assertEqual(code, 0)

    def test_it_dials_us(self):
        theirs = needed(self.program)
        with Peer("ours", OURS, "listen") as ours:
            self.assert_holds(theirs, address_of(ours))
            ours.wait_event("disconnected", 60)
            self.assertEqual(ours.stop(), 0)

    def test_we_dial_it(self):
        with Peer(self.program, needed(self.program), "listen") as listener:
            self.assert_holds(OURS, address_of(listener), *self.our_options)
            listener.wait_event("disconnected", 60)
            self.assertEqual(listener.stop(), 0)
            connected = [line for line in listener.seen if line.get("event") == "connected"]
            self.assertEqual([line["direction"] for line in connected], ["Inbound"])
            if self.tells_upgrade:
                self.assertEqual((connected[0]["security"], connected[0]["muxer"]), ("/noise", "/yamux/1.0.0"))
            known = next(line for line in listener.seen if line.get("event") == "identified")
            self.assertEqual(known["agent_version"], "opp2p-interop")
            self.assertLessEqual(SPOKEN_IN_TESTS, set(known["protocols"]))
            self.assertEqual(known["signed_peer_record"], self.signs_records)
            return connected[0]

    def test_it_dials_us_with_each_kind_of_key(self):
        theirs = needed(self.program)
        with Peer("ours", OURS, "listen") as ours:
            address = address_of(ours)
            for kind in self.keys:
                with self.subTest(key=kind), Peer("dialer", theirs, "dial", address, "--test", "echo", "--key", kind) as dialer:
                    self.assertEqual(dialer.finished(90), 0)
            self.assertEqual(ours.stop(), 0)

    def test_perf_and_ping_of_the_program(self):
        with Peer(self.program, needed(self.program), "listen") as listener:
            address = address_of(listener)
            done = opp2p.run("perf", "dial", address, "--upload-bytes", 20_000_000, "--download-bytes", 30_000_000, "--streams", 3)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(opp2p.json_lines(done.stdout)[-1]["ok"])
            done = opp2p.run("ping", address, "--count", 3, "--interval", 0.01, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(opp2p.json_lines(done.stdout)[-1]["answers"], 3)
            listener.stop()

    def test_perf_service_of_the_program(self):
        theirs = needed(self.program)
        with Peer("perf-serve", opp2p.PROGRAM, "perf", "serve", "--listen", "/ip4/127.0.0.1/tcp/0") as server:
            address = server.next_line(60)
            for test in ("perf", "ping", "identify"):
                with self.subTest(test=test), Peer("dialer", theirs, "dial", address, "--test", test) as dialer:
                    self.assertEqual(dialer.finished(90), 0)
            self.assertEqual(server.stop(), 0)


class GoLibp2p(Implementation, unittest.TestCase):
    program = "golibp2p"
    keys = ["ed25519", "secp256k1", "ecdsa", "rsa"]

    def test_we_dial_it(self):
        self.assertTrue(super().test_we_dial_it()["early_muxer"])


class RustLibp2p(Implementation, unittest.TestCase):
    program = "rustlibp2p"
    options = ["--streams", 400]  # its Yamux takes 512
    our_options = ["--unsigned"]
    tells_upgrade = False
    signs_records = False

    def test_the_program_answers_a_ping_that_comes_with_the_connection(self):
        """Rust pings at once. A peer that does not speak ping at that moment is never answered a ping of its own."""
        with Peer(self.program, needed(self.program), "listen") as listener:
            address = address_of(listener)
            for command in (["ping", address, "--count", 2, "--interval", 0.02],
                            ["perf", "dial", address, "--upload-bytes", 20_000_000, "--download-bytes", 0]):
                for _ in range(5):
                    done = opp2p.run(*command)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    listener.wait_event("disconnected", 60)
                with self.subTest(command=command[0]):
                    refused = [line for line in listener.seen if line.get("error") == "Ping protocol not supported"]
                    self.assertEqual(refused, [])
                    self.assertTrue(any(line.get("event") == "ping" and line["ok"] for line in listener.seen))
            listener.stop()


class JsLibp2p(Implementation, unittest.TestCase):
    program = "jslibp2p"
    options = ["--streams", 400, "--bytes", 20_000_000]


if __name__ == "__main__":
    unittest.main()
