"""This library and go-libp2p, each as the one that dials and the one that listens."""

import unittest

from lib import opp2p
from peers import OURS, Peer, needed

TESTS = ["identify", "ping", "echo", "reset", "half-close", "streams", "bulk", "perf"]


class GoLibp2p(unittest.TestCase):
    def assert_holds(self, dialer, address, *options):
        """Runs every test of the dialer against the address; each is reported by itself."""
        results = {}
        with Peer("dialer", dialer, "dial", address, "--test", "all", *options) as peer:
            code = peer.finished(180)
            peer.drain()
            results = {line["test"]: line for line in peer.seen if "test" in line}
        for name in TESTS:
            with self.subTest(test=name):
                self.assertIn(name, results)
                self.assertTrue(results[name]["ok"], results[name].get("error"))
        self.assertEqual(code, 0)

    def test_go_libp2p_dials_us(self):
        go = needed("golibp2p")
        with Peer("ours", OURS, "listen") as ours:
            address = ours.wait_for(lambda line: "addr" in line, 60, "address")["addr"]
            self.assert_holds(go, address)
            self.assertEqual(ours.stop(), 0)

    def test_we_dial_go_libp2p(self):
        go = needed("golibp2p")
        with Peer("golibp2p", go, "listen") as listener:
            address = listener.wait_for(lambda line: "addr" in line, 60, "address")["addr"]
            self.assert_holds(OURS, address)
            listener.stop()
            connected = [line for line in listener.seen if line.get("event") == "connected"]
            self.assertEqual(len(connected), 1)
            self.assertEqual(connected[0]["muxer"], "/yamux/1.0.0")
            self.assertEqual(connected[0]["security"], "/noise")
            self.assertTrue(connected[0]["early_muxer"])

    def test_go_libp2p_dials_us_with_each_kind_of_key(self):
        go = needed("golibp2p")
        with Peer("ours", OURS, "listen") as ours:
            address = ours.wait_for(lambda line: "addr" in line, 60, "address")["addr"]
            for kind in ("ed25519", "secp256k1", "ecdsa", "rsa"):
                with self.subTest(key=kind), Peer("dialer", go, "dial", address, "--test", "echo", "--key", kind) as dialer:
                    self.assertEqual(dialer.finished(90), 0)
            self.assertEqual(ours.stop(), 0)

    def test_perf_and_ping_of_the_program(self):
        go = needed("golibp2p")
        with Peer("golibp2p", go, "listen") as listener:
            address = listener.wait_for(lambda line: "addr" in line, 60, "address")["addr"]
            done = opp2p.run("perf", "dial", address, "--upload-bytes", 20_000_000, "--download-bytes", 30_000_000, "--streams", 3)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(opp2p.json_lines(done.stdout)[-1]["ok"])
            done = opp2p.run("ping", address)
            self.assertEqual(done.returncode, 0, done.stderr)
            listener.stop()

    def test_perf_service_of_the_program(self):
        go = needed("golibp2p")
        with Peer("perf-serve", opp2p.PROGRAM, "perf", "serve", "--listen", "/ip4/127.0.0.1/tcp/0") as server:
            address = server.next_line(60)
            for test in ("perf", "ping", "identify"):
                with self.subTest(test=test), Peer("dialer", go, "dial", address, "--test", test) as dialer:
                    self.assertEqual(dialer.finished(90), 0)
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
