"""The same cases read by our decoders and by Go's (interop/README.md, "judge"): one test for each format, and no difference that
differential/known.txt does not list. OPP2P_DIFFERENTIAL_CASES and OPP2P_DIFFERENTIAL_SEED change how many cases and which."""

import os
import subprocess
import unittest

from lib import opp2p
from peers import needed

PROGRAM = opp2p.ROOT / "build" / "tests" / "differential"
KNOWN = opp2p.ROOT / "tests" / "interop" / "differential" / "known.txt"
CASES = os.environ.get("OPP2P_DIFFERENTIAL_CASES", "10000")
SEED = os.environ.get("OPP2P_DIFFERENTIAL_SEED", "1")
FORMATS = ["snappy-length", "snappy-block", "snappy-frames", "multiformats-varint", "protobuf-varint", "gossip-frames", "multistream",
           "identify", "rpc", "older-message", "peer-record", "payload-ssz", "block-signature", "message-id", "gossip-block"]


class Differential(unittest.TestCase):
    def read_alike(self, name):
        judge = needed("judge")
        done = subprocess.run([PROGRAM, judge, opp2p.ROOT / "fuzz" / "corpus", KNOWN, "--cases", CASES, "--seed", SEED, "--format", name],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=2400)
        print(done.stdout.splitlines()[0] if done.stdout else name, flush=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_every_format_is_among_these(self):
        done = subprocess.run([PROGRAM, "--list"], stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.stdout.split(), FORMATS)


def add_test(name):
    def test(self):
        self.read_alike(name)
    test.__name__ = f"test_{name.replace('-', '_')}_is_read_as_in_Go"
    setattr(Differential, test.__name__, test)


for format_name in FORMATS:
    add_test(format_name)


if __name__ == "__main__":
    unittest.main()
