"""Partial messages with go-libp2p-pubsub 0.19, whose modules take minutes to build (test_partial.py)."""

import unittest

import test_partial


class PartialMessagesWithGo(test_partial.PartialMessages):
    program = "gopartial"


if __name__ == "__main__":
    unittest.main()
