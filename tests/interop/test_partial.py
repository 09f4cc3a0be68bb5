"""Partial messages of gossipsub v1.3: our peers and those of rust-libp2p complete messages from each other's parts. full_partial.py does
the same with go-libp2p-pubsub."""

import time
import unittest

from lib import opp2p
from peers import Peer, needed

OURS = opp2p.ROOT / "build" / "tests" / "partial_peer"


class PartialPeer(Peer):
    """One that holds some of the eight parts of every message."""

    def __init__(self, name, program, have, *options):
        super().__init__(name, program, "--have", have, *options)
        self.address = self.wait_for(lambda line: "addr" in line, 60, "address")["addr"]

    def meet(self, others):
        """Waits until it knows that so many others are in the topic."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.ask("peers", peers="?")["count"] >= others:
                return
            time.sleep(0.1)
        raise AssertionError(f"{self.name} has not met {others} peers")

    def complete(self, group):
        def is_whole(line):
            return line.get("event") == "complete" and line["group"] == group

        if not any(is_whole(line) for line in self.seen):
            self.wait_for(is_whole, 60, "the whole of " + group)

    def told(self, event):
        """The lines of that event until now."""
        self.ask("peers", peers="?")
        return [line for line in self.seen if line.get("event") == event]


def exchange(test, first, second):
    """Both publish a group of which the first has the lower parts and the second the upper ones."""
    with PartialPeer("first", first, 0x1F) as one, \
         PartialPeer("second", second, 0xF8, "--dial", one.address) as other:
        for peer in (one, other):
            peer.meet(1)
        time.sleep(1.5)  # a heartbeat of each: the mesh
        for group in ("a", "b", "c"):
            one.command(group=group)
            other.command(group=group)
            other.complete(group)
            one.complete(group)
        # What is not published to at first: the other hears of it and asks.
        other.command(group="late")
        one.complete("late")
        other.complete("late")
        for peer in (one, other):
            test.assertEqual(peer.told("error"), [])


class OurPeers(unittest.TestCase):
    def test_two_of_ours_complete_a_message(self):
        exchange(self, OURS, OURS)


class PartialMessages(unittest.TestCase):
    program = "rustpartial"

    def test_we_and_they_complete_a_message_whoever_dials(self):
        theirs = needed(self.program)
        exchange(self, theirs, OURS)
        exchange(self, OURS, theirs)

    def test_who_takes_parts_is_sent_no_whole_message_and_who_sends_them_is(self):
        theirs = needed(self.program)
        for takes, sends in ((OURS, theirs), (theirs, OURS)):
            with PartialPeer("takes", takes, 0x0F) as one, \
                 PartialPeer("sends", sends, 0xFF, "--dial", one.address, "--supports") as other:
                for peer in (one, other):
                    peer.meet(1)
                time.sleep(1.5)
                other.command(whole="for nobody")
                one.command(whole="for you")
                message = other.wait_event("message", 30)
                self.assertEqual(message["text"], "for you")
                one.command(group="a")
                other.command(group="a")
                one.complete("a")
                self.assertEqual(one.told("message"), [])

    def test_four_peers_of_both_kinds_complete_a_message_of_which_each_has_two_parts(self):
        theirs = needed(self.program)
        with PartialPeer("theirs-1", theirs, 0x03) as first, \
             PartialPeer("ours-1", OURS, 0x0C, "--dial", first.address) as second, \
             PartialPeer("theirs-2", theirs, 0x30, "--dial", second.address) as third, \
             PartialPeer("ours-2", OURS, 0xC0, "--dial", third.address) as fourth:
            peers = (first, second, third, fourth)
            for peer, known in zip(peers, (1, 2, 2, 1)):
                peer.meet(known)
            time.sleep(1.5)
            for peer in peers:
                peer.command(group="g")
            for peer in peers:
                peer.complete("g")
                self.assertEqual(peer.told("error"), [])


if __name__ == "__main__":
    unittest.main()
