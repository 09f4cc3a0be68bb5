"""Fifty nodes on loopback stay whole under the profile that scores most. full_whole_network.py has the other profiles."""

import pathlib
import tempfile
import unittest

from lib import whole_network


class FiftyNodes(whole_network.WholeNetwork, unittest.TestCase):
    def test_fifty_honest_nodes_at_one_address_keep_each_other_under_opp2p(self):
        with tempfile.TemporaryDirectory() as scratch:
            self.check_whole(pathlib.Path(scratch), 50, "opp2p")


if __name__ == "__main__":
    unittest.main()
