"""The room of unfinished gossip frames (frames.py), beyond the 30 s after which a frame that is not whole is reset."""

import unittest

from frames import Frames

SECONDS = 45


class UnfinishedFrames(Frames):
    def test_thirteen_addresses_do_not_stop_blocks(self):
        self.blocks_go_on("gossip-frames-never-ended", SECONDS, 1, 13)

    def test_one_address_does_not_stop_blocks(self):
        self.blocks_go_on("gossip-frames-never-ended", SECONDS, 1, 1)

    def test_a_byte_a_second_is_no_progress(self):
        self.blocks_go_on("gossip-frames-byte-a-second", SECONDS, 1, 13)

    def test_just_above_the_lowest_rate_blocks_go_on(self):
        self.blocks_go_on("gossip-frames-slowly-fed", SECONDS, 1, 13)


if __name__ == "__main__":
    unittest.main()
