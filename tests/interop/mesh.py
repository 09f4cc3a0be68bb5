"""A mesh of GossipSub peers of several implementations on loopback, driven by commands (interop/README.md, "gossip")."""

import contextlib
import functools
import random
import time

from peers import OURS, Peer, needed

PROGRAMS = {"ours": OURS, "go": "golibp2p", "rust": "rustlibp2p", "js": "jslibp2p"}


class Member:
    """One peer of a mesh."""

    def __init__(self, kind, number, *options):
        program = PROGRAMS[kind]
        path = program if kind == "ours" else needed(program)
        self.kind = kind
        self.peer = Peer(f"mesh-{kind}-{number}", path, "gossip", *options)

    @functools.cached_property
    def address(self):
        return self.peer.wait_for(lambda line: "addr" in line, 60, "address")["addr"]

    @property
    def id(self):
        return self.address.rsplit("/", 1)[1]

    def do(self, **command):
        """Runs a command, and fails when it fails."""
        self.peer.command(**command)
        name = next(iter(command))
        line = self.peer.wait_event("result", 60, command=name)
        if not line["ok"]:
            raise AssertionError(f"{self.peer.name}: {command}: {line['error']}")

    def connect(self, address):
        """rust-libp2p dials from the port that it listens on. When a connection of these two ports has just ended, the kernel refuses the
        next one for a while."""
        for attempt in range(5):
            try:
                return self.do(connect=address)
            except AssertionError as error:
                if "Address already in use" not in str(error) or attempt == 4:
                    raise
                time.sleep(1)

    def publish(self, topic, size):
        self.peer.command(publish=topic, bytes=size)
        line = self.peer.wait_for(lambda item: item.get("event") == "published" or (item.get("event") == "result" and not item["ok"]),
                                  60, "published")
        if line["event"] != "published":
            raise AssertionError(f"{self.peer.name}: publish: {line['error']}")
        self.peer.wait_event("result", 60, command="publish")
        return line

    def stats(self):
        return self.peer.ask("stats", stats=True)

    def messages(self):
        """Every message line so far."""
        self.peer.take_waiting()
        return [line for line in self.peer.seen if line.get("event") == "message"]

    def has(self, digests):
        return digests <= {line["digest"] for line in self.messages()}

    def end(self):
        self.peer.command(quit=True)
        return self.peer.finished(30)


class Mesh(contextlib.ExitStack):
    """Members in a random graph in which each has dialled `dials` others; all of one topic."""

    def __init__(self, kinds, topic, *options, seed=1, dials=5):
        super().__init__()
        self.topic = topic
        self.random = random.Random(seed)
        self.members = []
        try:
            for member in [self.start(kind, number, *options) for number, kind in enumerate(kinds)]:  # all at once
                self.add(member)
            self.link(dials)
        except BaseException:
            self.close()
            raise

    def start(self, kind, number, *options):
        member = Member(kind, number, *options)
        self.enter_context(member.peer)
        return member

    def add(self, member):
        """A member that was started joins the topic."""
        member.address  # the first line
        member.do(join=self.topic)
        self.members.append(member)

    def link(self, dials):
        """A chain through all, so that the graph is one, and random links besides."""
        links = {(i, i - 1) for i in range(1, len(self.members))}
        for i in range(len(self.members)):
            others = [j for j in range(len(self.members)) if j != i and (i, j) not in links and (j, i) not in links]
            links |= {(i, j) for j in self.random.sample(others, min(len(others), dials - 1))}
        for i, j in sorted(links):
            self.members[i].connect(self.members[j].address)

    def of(self, kind):
        return [member for member in self.members if member.kind == kind]

    def settle(self, seconds=30):
        """Until everybody knows of a peer in the topic, and then for the heartbeats in which meshes are built."""
        end = time.monotonic() + seconds
        while any(member.stats()["topics"].get(self.topic, 0) == 0 for member in self.members):
            if time.monotonic() > end:
                raise AssertionError(f"not everybody has a peer in {self.topic} within {seconds} s")
            time.sleep(0.2)
        time.sleep(2)

    def publish(self, sizes, seconds=60, at_once=5):
        """Publishes messages of these sizes, some at once and each by another member, and waits until all others have them. Answers
        the lines of the publishers."""
        out = []
        turns = [self.members[i % len(self.members)] for i in range(len(sizes))]
        for first in range(0, len(sizes), at_once):
            lines = [(member, member.publish(self.topic, size))
                     for member, size in zip(turns[first:first + at_once], sizes[first:first + at_once])]
            self.wait_for_all(lines, seconds)
            out += lines
        return out

    def wait_for_all(self, lines, seconds):
        end = time.monotonic() + seconds
        for member in self.members:
            wanted = {line["digest"] for publisher, line in lines if publisher is not member}
            while not member.has(wanted):
                if time.monotonic() > end:
                    missing = wanted - {line["digest"] for line in member.messages()}
                    sizes = [(publisher.peer.name, line["bytes"]) for publisher, line in lines if line["digest"] in missing]
                    raise AssertionError(f"{member.peer.name} lacks messages after {seconds} s: {sizes}")
                time.sleep(0.02)

    def end_all(self):
        """Ends everybody, and answers their exit codes."""
        for member in self.members:
            member.peer.command(quit=True)
        return {member.peer.name: member.peer.finished(60) for member in self.members}
