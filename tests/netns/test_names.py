"""A node whose name server answers for some names and never for others."""

import pathlib
import shutil
import socket
import tempfile
import threading
import unittest

from attacks import PlacedNode
from lib import made_chain, opp2p
from namespaces import Namespaces

DEAD = 20


class NameServer:
    """Answers one name with one IPv4 address, and is silent about all others. It is at place 0."""

    def __init__(self, spaces, name, ip):
        self.question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
        self.ip = ip
        self.asked = 0
        self.socket = spaces.at(0, self.bind, Namespaces.ip4(0))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    @staticmethod
    def bind(ip):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((ip, 53))
        return made

    def serve(self):
        while True:
            query, sender = self.socket.recvfrom(1024)
            if not query:
                return
            self.asked += 1
            if not query[12:].startswith(self.question):
                continue
            end = 12 + len(self.question) + 4
            is_a = query[end - 4:end - 2] == b"\0\1"
            head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0"
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(self.ip) if is_a else b""
            self.socket.sendto(head + query[12:end] + record, sender)

    def stop(self, spaces):
        def wake():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.sendto(b"", (Namespaces.ip4(0), 53))

        spaces.at(0, wake)
        self.thread.join()
        self.socket.close()


class Names(unittest.TestCase):
    def setUp(self):
        self.spaces = Namespaces(1)
        self.addCleanup(self.spaces.remove)
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        _, self.options, _ = made_chain.make(self.folder, 1, 2000)

    def node(self, place, name, *options):
        node = PlacedNode(self.spaces, place, self.folder / name, *self.options, *options)
        self.addCleanup(node.kill)
        return node.ready()

    def configure_resolver(self, place, server):
        """`ip netns exec` shows it to what runs there as /etc/resolv.conf."""
        folder = pathlib.Path("/etc/netns") / self.spaces.names[place]
        folder.mkdir(parents=True)
        self.addCleanup(shutil.rmtree, folder)
        (folder / "resolv.conf").write_text(f"nameserver {server}\n")

    def test_names_without_an_answer_do_not_hold_up_one_that_has_one(self):
        self.configure_resolver(1, Namespaces.ip4(0))
        server = NameServer(self.spaces, "good.test", Namespaces.ip4(0))
        self.addCleanup(server.stop, self.spaces)
        good = self.node(0, "good")
        port = good.address.split("/")[4]
        peers = []
        for i in range(DEAD):
            key = opp2p.run("key", "generate", "--out", self.folder / f"dead{i}").stdout.strip()
            peers.append(f"/dns4/dead{i}.test/tcp/9222/p2p/{key}")
        node = self.node(1, "node", "--p2p.static", ",".join([*peers, f"/dns4/good.test/tcp/{port}/p2p/{good.peer_id}"]))
        # Four threads looked names up, each held by a dead one: the good name's turn came after minutes.
        opp2p.wait_for(lambda: node.status()["peers"] == 1, 10, "the peer whose name has an answer is connected")
        self.assertGreater(server.asked, DEAD)
        self.assertEqual(node.stop(), 0)


if __name__ == "__main__":
    unittest.main()
