"""Networks of static peers in which op-node's own p2p package and opp2p are mixed: every node takes every block, one of each kind is
restarted, a peer that publishes bad blocks is banned by ours alone, and one takes the place of the other with its key, its address and its
peerstore."""

import os
import pathlib
import socket
import tempfile
import time
import unittest

from chain import SEQUENCER_KEY, write_config
from lib import opp2p
from lib.intruder import Intruder
from peers import Peer, needed

FOLLOWERS = 3
TO_BAN = 8  # blamed messages (docs/reputation.md)
OURS = ["--p2p.scoring", "opp2p", "--p2p.ban.duration", "1h"]


def free_ports(count):
    """Ports that are free now; they are all held while they are chosen."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Place:
    """A key, an address and a folder, which an op-node or an opp2p takes. They know each other from the start."""

    def __init__(self, folder, port):
        self.folder = folder
        folder.mkdir()
        self.port = port
        self.key = os.urandom(31).hex().rjust(64, "0")
        (folder / "key.txt").write_text(self.key)
        self.peer = opp2p.run("key", "peer-id", folder / "key.txt").stdout.strip()
        self.address = f"/ip4/127.0.0.1/tcp/{port}/p2p/{self.peer}"
        self.runs = 0

    def op_node(self, config, others, *more):
        self.runs += 1
        peer = Peer(f"opnode-{self.folder.name}-{self.runs}", needed("opnode-peer"), "--rollup.config", config, "--listen.port", self.port,
                    "--priv", self.key, "--static", ",".join(others), "--peerstore.path", self.folder / "opnode_peerstore_db", *more)
        self.signer = peer.wait_event("ready", 60)["signer"]
        return peer

    def opp2p(self, config, others, signer, *more):
        return opp2p.Node(self.folder, "--rollup.config", config, "--p2p.static", ",".join(others), "--p2p.unsafe.block.signer", signer, *more,
                          listen_port=self.port).ready(60)


class Network(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.places = [Place(self.scratch / name, port)
                       for name, port in zip(["sequencer", *(f"follower{n}" for n in range(FOLLOWERS))], free_ports(FOLLOWERS + 1))]
        self.config = write_config(self.scratch / "rollup.json", fork="jovian", genesis_time=int(time.time()) + 1, block_time=1)

    def others(self, place):
        return [one.address for one in self.places if one is not place]

    def start_sequencer(self):
        place = self.places[0]
        peer = place.op_node(self.config, self.others(place), "--sequencer.key", SEQUENCER_KEY, "--produce", "--scoring", "light")
        self.addCleanup(peer.__exit__, None, None, None)
        return peer

    def start_op_node(self, place, signer):
        peer = place.op_node(self.config, self.others(place), "--signer", signer, "--scoring", "light")
        self.addCleanup(peer.__exit__, None, None, None)
        return peer

    def start_ours(self, place, signer):
        node = place.opp2p(self.config, self.others(place), signer, *OURS)
        self.addCleanup(lambda: node.process.poll() is None and node.kill())
        return node

    def wait_for_block(self, number, op_nodes, ours):
        for peer in op_nodes:
            if not any(line.get("event") == "payload" and line["number"] >= number for line in peer.seen):
                peer.wait_for(lambda line: line.get("event") == "payload" and line["number"] >= number, 60, f"block {number}")
        for node in ours:
            opp2p.wait_for(lambda node=node: node.head() >= number, 60, f"{node.folder.name} has block {number}")

    def check_mix(self, ours_count):
        sequencer = self.start_sequencer()
        signer = self.places[0].signer
        followers = self.places[1:]
        ours = [self.start_ours(place, signer) for place in followers[:ours_count]]
        op_nodes = [self.start_op_node(place, signer) for place in followers[ours_count:]]
        first = sequencer.wait_event("published", 60)["number"]
        intruder = Intruder(self.scratch / "intruder", self.config, SEQUENCER_KEY, [place.address for place in followers], "--fork", "jovian")
        self.addCleanup(intruder.end)
        self.wait_for_block(first + 4, op_nodes, ours)
        bans = [opp2p.wait_for(lambda node=node: self.only_ban(node, intruder), 60, f"{node.folder.name} bans the intruder") for node in ours]

        # One of each kind ends and comes back.
        if ours:
            self.assertEqual(ours[0].stop(), 0)
            ours[0] = self.start_ours(followers[0], signer)
            self.assertEqual(self.only_ban(ours[0], intruder), bans[0], "it is what it was before the restart")
        if op_nodes:
            self.assertEqual(op_nodes[-1].stop(), 0)
            op_nodes[-1] = self.start_op_node(followers[-1], signer)
        latest = sequencer.wait_event("published", 60)["number"]
        self.wait_for_block(latest + 3, op_nodes, ours)

        for node in ours:
            status = node.status()
            self.assertEqual(status["blocks"]["rejected"] == {}, node is ours[0], "the one that restarted knew the intruder from the start")
            self.assertGreaterEqual(status["head"]["number"], latest)
        self.assertEqual([self.only_ban(node, intruder) for node in ours], bans)
        # Nobody is in bad standing with op-node, however often it was restarted.
        for peer, place in [(sequencer, self.places[0]), *zip(op_nodes, followers[ours_count:])]:
            wanted = {one.peer for one in self.places if one is not place}
            known = opp2p.wait_for(lambda: self.known_to(peer, wanted, intruder), 90, f"{place.folder.name} is connected with all others")
            self.assertGreaterEqual(min(one["score"] for one in known), 0)
        for node in ours:
            self.assertEqual(node.stop(), 0)
        for peer in [*op_nodes, sequencer]:
            self.assertEqual(peer.stop(), 0)

    def only_ban(self, node, intruder):
        """The ban of the intruder, when there is one. Nobody else is banned or below zero, and a banned peer is not connected."""
        bans = node.rpc("opp2p_bans")
        self.assertLessEqual({ban["peer"] for ban in bans}, {intruder.peer_id})
        connected = node.rpc("opp2p_peers", True)["peers"]
        for peer, told in connected.items():
            if peer != intruder.peer_id:
                self.assertGreaterEqual(told["scores"]["gossip"]["total"], 0, peer)
        if not bans or intruder.peer_id in connected:
            return None
        self.assertEqual((bans[0]["rule"], len(bans[0]["evidence"]) >= TO_BAN), ("blamed_messages", True), bans[0])
        return bans[0]

    @staticmethod
    def known_to(peer, wanted, intruder):
        """What op-node says of its connections, when they are those. It goes on with the intruder: it bans nobody."""
        known = [one for one in peer.ask("peers", peers=True)["peers"] if one["peer"] != intruder.peer_id]
        return known if {one["peer"] for one in known} == wanted else None

    def test_a_network_of_op_nodes_only(self):
        self.check_mix(0)

    def test_one_of_ours_among_op_nodes(self):
        self.check_mix(1)

    def test_two_of_ours_beside_one_op_node(self):
        self.check_mix(2)

    def test_only_ours_behind_an_op_node_that_sequences(self):
        self.check_mix(3)

    def test_ours_takes_the_place_of_an_op_node_and_gives_it_back(self):
        sequencer = self.start_sequencer()
        place = self.places[1]
        signer = self.places[0].signer
        before = self.start_op_node(place, signer)
        before.wait_event("payload", 60)
        self.assertEqual(before.stop(), 0)

        key_file = place.folder / "key.txt"
        key_file.unlink()  # it comes from op-node's peerstore
        theirs = place.folder / "opnode_peerstore_db"
        options = ("--data-dir", place.folder, "--p2p.priv.path", key_file)
        imported = opp2p.run("peerstore", "import", theirs, *options)
        self.assertEqual(imported.returncode, 0, imported.stderr)
        self.assertEqual(key_file.read_text(), place.key)
        node = self.start_ours(place, signer)
        self.assertEqual(node.peer_id, place.peer)
        sequencer.wait_event("connected", 90, peer=place.peer)
        latest = sequencer.wait_event("published", 60)["number"]
        self.wait_for_block(latest + 2, [], [node])
        self.assertEqual(node.stop(), 0)

        theirs.rename(place.folder / "old")
        exported = opp2p.run("peerstore", "export", theirs, *options)
        self.assertEqual(exported.returncode, 0, exported.stderr)
        after = self.start_op_node(place, signer)
        latest = sequencer.wait_event("published", 60)["number"]
        self.wait_for_block(latest + 2, [after], [])
        self.assertEqual(after.stop(), 0)
        self.assertEqual(sequencer.stop(), 0)

    def test_a_ban_of_op_node_holds_with_ours_until_it_ends(self):
        sequencer = self.start_sequencer()
        place, banned = self.places[1:3]
        signer = self.places[0].signer
        before = self.start_op_node(place, signer)
        before.wait_event("payload", 60)
        self.assertEqual(before.stop(), 0)
        theirs = place.folder / "opnode_peerstore_db"
        with Peer("opnode-peerstore", needed("opnode-peerstore"), theirs) as peerstore:
            peerstore.wait_event("ready", 60)
            ends = int(time.time()) + 30
            peerstore.ask("banned", ban=banned.peer, until=ends)
            peerstore.command(quit=True)
            self.assertEqual(peerstore.finished(30), 0)
        options = ("--data-dir", place.folder, "--p2p.priv.path", place.folder / "key.txt")
        imported = opp2p.run("peerstore", "import", theirs, *options)
        self.assertEqual(imported.returncode, 0, imported.stderr)
        self.assertIn(f"{banned.peer} is banned until", opp2p.run("peerstore", "show", banned.peer, "--data-dir", place.folder).stdout)

        # The banned peer is no static one of ours: it calls us, once a minute and each time that it starts.
        node = place.opp2p(self.config, [self.places[0].address], signer)
        self.addCleanup(lambda: node.process.poll() is None and node.kill())
        caller = self.start_op_node(banned, signer)
        caller.wait_event("payload", 60)
        while time.time() < ends - 2:
            self.assertNotIn(banned.peer, node.rpc("opp2p_peers", True)["peers"])
            time.sleep(0.5)
        self.wait_for_block(caller.seen[-1].get("number", 1), [], [node])
        self.assertEqual(caller.stop(), 0)
        time.sleep(max(0, ends + 1 - time.time()))
        caller = self.start_op_node(banned, signer)
        opp2p.wait_for(lambda: banned.peer in node.rpc("opp2p_peers", True)["peers"], 60, "the ban has ended")
        for process in (caller, node, sequencer):
            self.assertEqual(process.stop(), 0)


if __name__ == "__main__":
    unittest.main()
