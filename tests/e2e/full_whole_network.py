"""Fifty nodes on loopback stay whole under the profiles that test_whole_network.py leaves out (`./test full`)."""

import pathlib
import tempfile
import unittest

from lib import whole_network


class FiftyNodes(whole_network.WholeNetwork, unittest.TestCase):
    def check(self, profile):
        with tempfile.TemporaryDirectory() as scratch:
            self.check_whole(pathlib.Path(scratch), 50, profile)

    def test_fifty_honest_nodes_at_one_address_keep_each_other_under_light(self):
        self.check("light")

    def test_fifty_honest_nodes_at_one_address_keep_each_other_without_scores(self):
        self.check("none")


if __name__ == "__main__":
    unittest.main()
