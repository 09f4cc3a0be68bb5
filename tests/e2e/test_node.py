"""`opp2p node` from outside: start and stop, its files, its JSON-RPC, and that it loses no block that it has acknowledged."""

import json
import os
import pathlib
import shutil
import socket
import tempfile
import unittest
import urllib.error

from lib import made_chain, opp2p


class Chain:
    """A short devnet, stopped and kept: a rollup config, a signer, and stores with the same blocks in them."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "devnet"
        done = opp2p.run("devnet", "--for", 6, "--block-time", 1, "--nodes", 1, "--json", "--keep", "--data-dir", self.folder)
        self.summary = opp2p.json_lines(done.stdout)[-1]
        assert self.summary["ok"], self.summary["problems"]
        about = json.loads((self.folder / "devnet.json").read_text())
        self.signer = about["signer"]
        self.options = ["--rollup.config", about["rollupConfig"], "--p2p.unsafe.block.signer", self.signer]

    def copy_of_store(self, member, to):
        shutil.copytree(self.folder / member / "blocks", to / "blocks")


SCRATCH = tempfile.TemporaryDirectory()  # removed when the interpreter ends


class NodeCase(unittest.TestCase):
    chain = None

    @classmethod
    def setUpClass(cls):
        if NodeCase.chain is None:
            NodeCase.chain = Chain(SCRATCH.name)

    def folder(self):
        return pathlib.Path(tempfile.mkdtemp(dir=SCRATCH.name))

    def node(self, *options, folder=None, **more):
        node = opp2p.Node(folder or self.folder(), *self.chain.options, *options, **more)
        self.addCleanup(node.kill)
        return node.ready()


class Life(NodeCase):
    def test_it_starts_tells_where_it_is_and_ends_in_order(self):
        node = self.node()
        self.assertRegex(node.address, r"^/ip4/127\.0\.0\.1/tcp/\d+/p2p/16Uiu2HA")
        key = node.folder / "key.txt"
        self.assertEqual((len(key.read_text()), key.stat().st_mode & 0o777), (64, 0o600))
        self.assertEqual(node.stop(seconds=5), 0)
        self.assertFalse((node.folder / "node.json").exists())
        self.assertIn('msg="stopped"', node.log())

    def test_it_keeps_its_identity_and_its_chain_over_a_restart(self):
        folder = self.folder()
        self.chain.copy_of_store("follower-1", folder)
        node = self.node(folder=folder)
        before = (node.peer_id, node.head())
        self.assertEqual(before[1], self.chain.summary["blocks"])
        self.assertEqual(node.stop(), 0)
        node.start().ready()
        self.assertEqual((node.peer_id, node.head()), before)

    def test_environment_names_are_op_nodes(self):
        environment = {**os.environ, "OP_NODE_P2P_AGENT": "from-the-environment", "OP_NODE_P2P_NO_SUCH_THING": "1"}
        asked = self.node(environment=environment)
        asking = self.node("--p2p.static", asked.address)
        opp2p.wait_for(lambda: asking.rpc("opp2p_peers", True)["peers"].get(asked.peer_id, {}).get("userAgent"), 10, "identify")
        self.assertEqual(asking.rpc("opp2p_peers", True)["peers"][asked.peer_id]["userAgent"], "from-the-environment")
        self.assertIn("OP_NODE_P2P_NO_SUCH_THING", asked.log())

    def test_json_logs_are_json(self):
        node = self.node("--log.format", "json", "--log.level", "info,gossip=debug")
        self.assertEqual(node.stop(), 0)
        for line in node.log().splitlines():
            self.assertIn("msg", json.loads(line))

    def assert_refused(self, *options, says):
        done = opp2p.run("node", *options, "--data-dir", self.folder() / "data", "--p2p.priv.path", self.folder() / "key.txt",
                         "--rpc.addr", "127.0.0.1", "--rpc.port", "0", "--p2p.listen.ip", "127.0.0.1", timeout=20)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(says, done.stderr)

    def test_a_gossip_trace_has_every_event_of_the_node_in_the_format_that_its_name_says(self):
        server = self.node()
        lines, records = self.folder() / "trace.jsonl", self.folder() / "trace.pb"
        followers = [self.node("--p2p.static", server.address, "--p2p.gossip.trace.file", path) for path in (lines, records)]
        for follower in followers:
            opp2p.wait_for(lambda node=follower: node.status()["peers"] == 1, 10, "connected")
            self.assertEqual(follower.stop(), 0)
        events = opp2p.json_lines(lines.read_text(encoding="utf-8"))
        joined = {event["join"]["topic"] for event in events if event["type"] == 9}
        self.assertEqual({topic.rsplit("/", 2)[1] for topic in joined}, {"0", "1", "2", "3"})
        self.assertTrue(any(event["type"] == 4 and event["onNewOutboundStream"]["proto"].startswith("/meshsub/") for event in events))
        self.assertTrue(any(event["type"] == 7 and event["sendRPC"]["meta"]["subscription"] for event in events))
        self.assertIn(b"/meshsub/1.", records.read_bytes())

    def test_what_keeps_it_from_starting_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.assert_refused(*self.chain.options, "--p2p.listen.tcp", port, says=str(port))
        self.assert_refused("--p2p.listen.tcp", 0, says="--rollup.config is missing")
        self.assert_refused("--rollup.config", "/no/such/file", "--p2p.listen.tcp", 0, says="/no/such/file")
        self.assert_refused(*self.chain.options, "--p2p.listen.tcp", 80, says="port is reserved for system: 80")
        self.assert_refused(*self.chain.options, "--p2p.listen.tcp", 0, "--p2p.static", "/ip4/127.0.0.1/tcp/1", says="/p2p/ID")
        self.assert_refused(*self.chain.options, "--p2p.listen.tcp", 0, "--p2p.scoring", "full",
                            says='--p2p.scoring: no scoring profile is named "full"; the profiles are none, light')
        broken = self.folder() / "rollup.json"
        broken.write_text('{"block_time": "two"}')
        self.assert_refused("--rollup.config", broken, "--p2p.listen.tcp", 0, says="rollup.json")

    def test_the_store_of_another_chain_is_refused(self):
        folder = self.folder()
        self.chain.copy_of_store("follower-1", folder)
        config = json.loads((self.chain.folder / "rollup.json").read_text())
        config["l2_chain_id"] += 1
        other = folder / "other.json"
        other.write_text(json.dumps(config))
        done = opp2p.run("node", "--rollup.config", other, "--data-dir", folder, "--p2p.priv.path", folder / "key.txt",
                         "--p2p.listen.tcp", "0", timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("chain", done.stderr)


class Rpc(NodeCase):
    def test_self_peers_and_stats_have_op_nodes_shapes(self):
        a = self.node()
        b = self.node()
        me = a.rpc("opp2p_self")
        self.assertEqual(list(me), ["peerID", "nodeID", "userAgent", "protocolVersion", "ENR", "addresses", "protocols",
                                    "connectedness", "direction", "protected", "chainID", "latency", "gossipBlocks", "scores"])
        self.assertEqual((me["peerID"], me["userAgent"], me["protocols"], me["connectedness"], me["gossipBlocks"]),
                         (a.peer_id, "", None, 0, True))
        self.assertEqual(me["addresses"], [a.address])
        self.assertRegex(me["nodeID"], "^[0-9a-f]{64}$")
        self.assertEqual(a.rpc("opp2p_peers", True)["totalConnected"], 0)
        self.assertIsNone(a.rpc("opp2p_connectPeer", b.address))
        opp2p.wait_for(lambda: a.rpc("opp2p_peers", True)["peers"].get(b.peer_id, {}).get("protocols"), 10, "identify")
        dump = a.rpc("opp2p_peers", True)
        self.assertEqual(list(dump), ["totalConnected", "peers", "bannedPeers", "bannedIPS", "bannedSubnets"])
        peer = dump["peers"][b.peer_id]
        self.assertEqual((peer["connectedness"], peer["direction"], peer["userAgent"]), (1, 2, "optimism"))
        self.assertIn("/meshsub/1.2.0", peer["protocols"])
        self.assertTrue(any(p.endswith("/0") and p.startswith("/opstack/req/payload_by_number/") for p in peer["protocols"]))
        opp2p.wait_for(lambda: a.rpc("opp2p_peerStats")["blocksTopicV4"] == 1, 10, "the peer is in the topics")
        self.assertEqual(a.rpc("opp2p_peerStats"), {"connected": 1, "table": 0, "blocksTopic": 1, "blocksTopicV2": 1,
                                                    "blocksTopicV3": 1, "blocksTopicV4": 1, "banned": 0, "known": 2})
        self.assertEqual(a.rpc("opp2p_peers", True)["peers"][b.peer_id]["scores"]["gossip"]["total"], 0)
        self.assertIsNone(a.rpc("opp2p_disconnectPeer", b.peer_id))
        opp2p.wait_for(lambda: a.rpc("opp2p_peers", True)["totalConnected"] == 0, 5, "disconnected")

    def test_config_and_version(self):
        node = self.node()
        config = json.loads((self.chain.folder / "rollup.json").read_text())
        answered = node.rpc("optimism_rollupConfig")
        for key, value in config.items():
            if key != "genesis":
                self.assertEqual(answered[key], value, key)
        self.assertEqual(answered["genesis"]["l2"], config["genesis"]["l2"])
        self.assertRegex(node.rpc("optimism_version"), r"^\d+\.\d+\.\d+")
        self.assertIn("version", json.loads(opp2p.http(node.port, None, "/healthz", "GET")))

    def test_errors(self):
        node = self.node()
        for call, code, text in ((("opp2p_peers",), -32602, "missing value for required argument 0"),
                                 (("opp2p_connectPeer", "nonsense"), -32000, "bad peer address"),
                                 (("opp2p_connectPeer", "/ip4/127.0.0.1/tcp/1/p2p/" + node.peer_id), -32000, "failed to dial"),
                                 (("opp2p_disconnectPeer", "x"), -32602, "failed to parse peer ID"),
                                 (("admin_postUnsafePayload", {}), -32601, "does not exist")):
            with self.assertRaises(opp2p.RpcError) as caught:
                node.rpc(*call)
            self.assertEqual(caught.exception.code, code, call)
            self.assertIn(text, str(caught.exception))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            opp2p.http(node.port, b"{}", content_type="text/plain")
        self.assertEqual(refused.exception.code, 415)


class Blocks(NodeCase):
    def test_a_static_peer_that_was_lost_is_dialled_again(self):
        server = self.node()
        follower = self.node("--p2p.static", server.address)
        opp2p.wait_for(lambda: follower.status()["peers"] == 1, 10, "connected")
        address = server.address.split("/")
        self.assertEqual(server.stop(), 0)
        opp2p.wait_for(lambda: follower.status()["peers"] == 0, 10, "the loss is seen")
        server.options += ["--p2p.listen.tcp", address[4]]
        server.start().ready()
        opp2p.wait_for(lambda: follower.status()["peers"] == 1, 20, "connected again")

    def old_chain(self, folder, block):
        """Options of a chain that began long ago, so that a node starts at the first block that it is given, and on which this block is due."""
        config = json.loads((self.chain.folder / "rollup.json").read_text())
        config["genesis"]["l2_time"] = int(block["timestamp"], 16) - int(block["blockNumber"], 16) * config["block_time"]
        path = folder / "old.json"
        path.write_text(json.dumps(config))
        return ["--rollup.config", path, "--rpc.enable-admin"]

    def test_a_posted_block_is_there_for_good_when_the_answer_comes(self):
        folder = self.folder()
        vectors = opp2p.ROOT / "tests" / "vectors" / "data" / "opstack" / "ssz" / "payloads.json"
        envelope = next(case["decoded"] for case in json.loads(vectors.read_text())["cases"] if case["version"] == 4)
        block = envelope["executionPayload"]
        node = self.node(*self.old_chain(folder, block), folder=folder)
        forged = json.loads(json.dumps(envelope))
        forged["executionPayload"]["blockHash"] = "0x" + "11" * 32
        with self.assertRaises(opp2p.RpcError) as refused:
            node.rpc("admin_postUnsafePayload", forged)
        self.assertEqual(str(refused.exception), f"payload has bad block hash: {forged['executionPayload']['blockHash']}, "
                                                 f"actual block hash is: {block['blockHash']}")
        self.assertIsNone(node.rpc("admin_postUnsafePayload", envelope))
        node.kill()
        node.start().ready()
        self.assertEqual(node.rpc("opp2p_chain", int(block["blockNumber"], 16), 10), [block["blockHash"]])
        with self.assertRaises(opp2p.RpcError) as refused:
            node.rpc("admin_publishUnsafePayload", envelope)
        self.assertIn("node has no p2p signer", str(refused.exception))

    def test_no_acknowledged_block_is_lost_by_kill_9(self):
        folder = self.folder()
        self.chain.copy_of_store("follower-1", folder)
        node = self.node(folder=folder)
        head, hashes = node.head(), node.rpc("opp2p_chain", 1, 1000)
        self.assertEqual(len(hashes), head)
        for _ in range(3):
            node.kill()
            node.start().ready()
            self.assertEqual(node.rpc("opp2p_chain", 1, 1000), hashes)


class Why(NodeCase):
    """What the log says at its default level when a node does not follow its chain."""

    def lines(self, node, text):
        return [line for line in node.log().splitlines() if text in line]

    def line(self, node, text, seconds=20):
        return opp2p.wait_for(lambda: self.lines(node, text), seconds, f"the log says '{text}'")[0]

    def sequencer(self):
        folder = self.folder()
        self.key, self.options, self.envelopes = made_chain.make(folder, 12, 1000)
        self.signer = self.options[self.options.index("--p2p.unsafe.block.signer") + 1]
        sequencer = made_chain.sequencer(folder / "sequencer", self.key, self.options)
        self.addCleanup(sequencer.kill)
        return sequencer

    def beside(self, sequencer, *options):
        """A node of the same chain with a signer of its own, which is sent all blocks."""
        at = self.options.index("--p2p.unsafe.block.signer")
        node = opp2p.Node(self.folder(), *self.options[:at], *self.options[at + 2:], *options, "--p2p.static", sequencer.address)
        self.addCleanup(node.kill)
        node.ready()
        opp2p.wait_for(lambda: sequencer.status()["mesh"] >= 1, 20, "it is sent what the sequencer publishes")
        return node

    def test_a_wrong_signer_is_told_without_debug_with_both_addresses_and_the_option(self):
        sequencer, wrong = self.sequencer(), "0x" + "11" * 20
        node = self.beside(sequencer, "--p2p.unsafe.block.signer", wrong)
        for envelope in self.envelopes[:8]:
            sequencer.rpc("admin_publishUnsafePayload", json.loads(envelope))
        rejected = self.line(node, 'msg="rejected blocks"')
        for text in ("lvl=warn", 'reason="invalid block signature"', "reason_id=invalid_signature", f"from={sequencer.peer_id}", f"signed_by={self.signer}",
                     f"expected={wrong}", "count=1"):
            self.assertIn(text, rejected)
        cause = self.line(node, "no block has been accepted yet")
        for text in ("lvl=warn", f"signed_by={self.signer}", "option=--p2p.unsafe.block.signer", "likely_cause="):
            self.assertIn(text, cause)
        self.assertEqual(len(self.lines(node, "rejected blocks")), 1, "not for each block")
        self.assertNotIn("lvl=debug", node.log())

    def test_no_line_has_an_empty_field_or_a_number_that_was_never_decoded(self):
        sequencer = self.sequencer()
        node = self.beside(sequencer, "--p2p.unsafe.block.signer", "0x" + "11" * 20, "--log.level", "debug", "--log.format", "json")
        for envelope in self.envelopes[:3]:
            sequencer.rpc("admin_publishUnsafePayload", json.loads(envelope))
        self.line(node, '"validated block"')
        self.assertEqual(node.stop(), 0)
        for line in map(json.loads, node.log().splitlines()):
            self.assertNotIn("", line.values(), line)
            self.assertFalse(line["msg"] == "validated block" and "number" in line, line)

    def test_a_static_peer_that_goes_is_told_with_the_reason_and_how_long_it_stayed(self):
        peer = self.node()
        node = self.node("--p2p.static", peer.address)
        opp2p.wait_for(lambda: node.status()["peers"] == 1, 10, "connected")
        self.assertEqual(peer.stop(), 0)
        left = self.line(node, "static peer disconnected, reconnecting")
        self.assertRegex(left, rf'lvl=warn .* peer={peer.peer_id} reason="closed: [^"]+" stayed=[0-9.]+m?s')
        self.assertRegex(self.line(node, "error reconnecting to static peer"), r"connection refused.* retry_in=[0-9.]+m?s option=\"--p2p.static or opp2p_addStaticPeer\"")

    def test_a_port_scan_is_no_warning(self):
        node = self.node()
        for index in range(20):
            with socket.create_connection(("127.0.0.1", int(node.address.split("/")[4])), timeout=10) as scan:
                if index % 2:
                    scan.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.assertTrue(node.rpc("optimism_version"))
        self.assertEqual(node.stop(), 0)
        self.assertEqual([line for line in self.lines(node, "lvl=warn") if "refused" in line or "handshake" in line], [])


if __name__ == "__main__":
    unittest.main()
