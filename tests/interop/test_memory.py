"""Three attacks on a node's memory at the same time (memory.py), for some seconds. The long one is in full_memory.py."""

import unittest

from memory import AtOnce


class Memory(AtOnce):
    def test_three_attacks_at_once_leave_the_node_small(self):
        self.all_at_once(10, 300, 10, 60)


if __name__ == "__main__":
    unittest.main()
