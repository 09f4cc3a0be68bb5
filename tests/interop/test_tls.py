"""TLS 1.3 between this library and the libp2p of other languages, and between nodes and op-node."""

import unittest

from test_plaintext import Secured, WithOpNode


class Tls(Secured):
    secured = ["--security", "tls"]
    protocol = "/tls/1.0.0"
    tests = ["identify", "ping", "echo", "reset", "half-close", "bulk"]


class GoTls(Tls, unittest.TestCase):
    program = "golibp2p"


class OpNodeTls(WithOpNode, unittest.TestCase):
    def test_blocks_go_both_ways_between_op_node_and_a_node_that_prefers_tls(self):
        self.assert_blocks_go_both_ways("tls,noise", "tls")


if __name__ == "__main__":
    unittest.main()
