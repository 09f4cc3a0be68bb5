"""Three attacks on a node's memory at the same time (memory.py): 4,096 identities, 40 connections of unread streams, 60 of RPC."""

import unittest

from memory import AtOnce


class Memory(AtOnce):
    def test_three_attacks_at_once_leave_the_node_small(self):
        self.all_at_once(90, 4096, 40, 60)


if __name__ == "__main__":
    unittest.main()
