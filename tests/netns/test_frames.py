"""The room of unfinished gossip frames (frames.py), for a few seconds. The long ones are in full_frames.py."""

import unittest

from frames import Frames


class UnfinishedFrames(Frames):
    def test_thirteen_addresses_do_not_stop_blocks(self):
        self.blocks_go_on("gossip-frames-never-ended", 8, 0.5, 13)


if __name__ == "__main__":
    unittest.main()
