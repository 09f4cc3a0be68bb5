"""The options of `opp2p node`, as an operator of op-node gives them: what each value means, what is told of those that do nothing, where
the key lies, and who can reach the node."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from lib import made_chain, opp2p


class Options(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        made_chain.make(cls.base, 0, 0)
        cls.rollup = cls.base / "rollup.json"

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.base))

    def node(self, *options, environment=None):
        node = opp2p.Node(self.folder / "node", "--rollup.config", self.rollup, *options, environment={**os.environ, **(environment or {})})
        self.addCleanup(node.stop)
        return node.ready()

    def warnings(self, node):
        return [line for line in node.log().splitlines() if "lvl=warn" in line]

    def test_what_starts_op_node_starts_this_and_one_line_says_what_does_nothing(self):
        node = self.node("--l1=http://127.0.0.1:1", "--l2", "http://127.0.0.1:2", "--l2.jwt-secret=/none", "--syncmode=execution-layer",
                         "--p2p.bootnodes=a,b", "--pprof.enabled", "--sequencer.enabled=false", "--p2p.static=", "-log.level", "WARN",
                         environment={"OP_NODE_L1_BEACON": "http://127.0.0.1:3", "OP_NODE_P2P_DISABLE": "false", "OP_NODE_LOG_FORMAT": "logfmt",
                                      "OP_NODE_P2P_STATIC": "nobody", "OP_NODE_RPC_ENABLE_ADMIN": "", "OP_NODE_NONSENSE": "1"})
        (line,) = [line for line in self.warnings(node) if "does nothing here" in line]
        told = re.search(r'no_effect="([^"]*)"', line).group(1).split()
        self.assertEqual(set(told), {"--l1", "--l2", "--l2.jwt-secret", "--syncmode", "--p2p.bootnodes", "--pprof.enabled", "OP_NODE_L1_BEACON"})
        self.assertIn("unknown_env=OP_NODE_NONSENSE", line)
        self.assertNotIn("lvl=info", node.log())
        with self.assertRaises(opp2p.RpcError):
            node.rpc("admin_postUnsafePayload", {})

    def test_a_list_that_is_too_long_for_one_line_says_how_many_are_left_out(self):
        names = [f"OP_NODE_NONSENSE_{i:03}" for i in range(400)]
        (line,) = [line for line in self.warnings(self.node(environment=dict.fromkeys(names, "1"))) if "does nothing here" in line]
        told = re.findall(r"OP_NODE_NONSENSE_\d+", line)
        self.assertEqual(len(told) + int(re.search(r"unknown_env_more=(\d+)", line).group(1)), 400)
        self.assertGreater(len(told), 100)

    def test_without_such_options_there_is_no_such_line(self):
        self.assertFalse([line for line in self.warnings(self.node()) if "does nothing here" in line])

    def test_addresses_ports_and_exposure_are_said_at_start(self):
        log = self.node().log()
        self.assertRegex(log, r'msg="starting opp2p node".* version=\S+ chain=\d+ data_dir=/\S+ role=follower')
        self.assertRegex(log, r'msg="made a new node key".* file=/\S+/key.txt')
        self.assertRegex(log, r'msg="started p2p host".* addr=/ip4/127.0.0.1/tcp/\d+')
        self.assertRegex(log, r'msg="JSON-RPC server started".* addr=127.0.0.1 port=\d+ admin=false reached_from="this machine"')
        self.assertRegex(log, r"token_file=/\S+/rpc.token")

    def test_an_rpc_that_others_reach_is_a_warning(self):
        exposed = self.node("--rpc.addr", "0.0.0.0")
        self.assertTrue([line for line in self.warnings(exposed) if "other machines" in line and "token" in line])

    def test_nodes_without_security_warn_of_it_reach_each_other_and_nobody_who_has_it(self):
        def other(name, *options):
            node = opp2p.Node(self.folder / name, "--rollup.config", self.rollup, *options)
            self.addCleanup(node.stop)
            return node.ready()

        def peers(node):
            return set(node.rpc("opp2p_peers", True)["peers"])

        usual, plain = self.node("--p2p.security=tls,noise"), other("plain", "--p2p.security", "none")
        (warning,) = [line for line in self.warnings(plain) if "neither encrypted nor authenticated" in line]
        self.assertIn('option="--p2p.security none"', warning)
        self.assertFalse([line for line in self.warnings(usual) if "encrypted" in line])
        self.assertFalse([line for line in self.warnings(usual) if "no_effect" in line])
        dialer = other("dialer", "--p2p.security", "none", "--p2p.static", f"{plain.address},{usual.address}", "--log.level", "debug")
        opp2p.wait_for(lambda: peers(dialer) == {plain.peer_id}, 20, "the two without security are connected")
        opp2p.wait_for(lambda: "the peer speaks none of the proposed protocols (/plaintext/2.0.0)" in dialer.log(), 20, "it is refused")
        self.assertEqual((peers(usual), peers(plain)), (set(), {dialer.peer_id}))

    def test_the_key_is_made_in_the_data_folder_and_one_of_the_working_folder_is_used_first(self):
        # Each ends by itself, because somebody else's address cannot be listened at, and has found its key by then.
        def start(work):
            work.mkdir(exist_ok=True)
            done = opp2p.run("node", "--rollup.config", self.rollup, "--data-dir", self.folder / "data", "--p2p.listen.ip", "203.0.113.1",
                             "--rpc.port", "0", cwd=work)
            self.assertEqual(done.returncode, 1)
            return re.search(r'msg="(?:made a new|read the) node key".* file=(\S+)', done.stderr).group(1)

        made = self.folder / "data" / "opnode_p2p_priv.txt"
        self.assertEqual(start(self.folder / "work"), str(made))
        self.assertEqual(made.stat().st_mode & 0o777, 0o600)
        self.assertEqual(list((self.folder / "work").iterdir()), [])
        key = made.read_text()
        self.assertEqual(start(self.folder / "elsewhere"), str(made))
        self.assertEqual(made.read_text(), key)
        old = self.folder / "work" / "opnode_p2p_priv.txt"
        old.write_text("11" * 32)
        self.assertEqual(start(self.folder / "work"), str(old))
        self.assertEqual(old.read_text(), "11" * 32)

    def test_without_its_peer_to_peer_layer_a_node_has_its_rpc_alone(self):
        node = self.folder / "node"
        process = subprocess.Popen([opp2p.PROGRAM, "node", "--rollup.config", self.rollup, "--data-dir", node, "--p2p.disable", "--rpc.port", "0",
                                    "--p2p.static", "nobody", "--p2p.listen.tcp", "0"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        log = ""
        while "JSON-RPC server started" not in log:
            line = process.stderr.readline()
            self.assertTrue(line, log)
            log += line
        port = int(re.search(r'msg="JSON-RPC server started".* port=(\d+)', log).group(1))
        self.assertIn("the peer-to-peer layer is switched off", log)
        self.assertRegex(log, 'no_effect="[^"]*--p2p.static')

        def rpc(method):
            request = urllib.request.Request(f"http://127.0.0.1:{port}", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": []}).encode(),
                                             {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)

        self.assertIn("result", rpc("health_status"))
        self.assertIn("genesis", rpc("optimism_rollupConfig")["result"])
        self.assertEqual(rpc("opp2p_self")["error"]["code"], -32601)
        with self.assertRaises(urllib.error.HTTPError) as ready:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10)
        self.assertEqual(ready.exception.code, 503)
        ready.exception.close()
        self.assertFalse((node / "opnode_p2p_priv.txt").exists())
        for words in (["peers"], ["bans"], ["why", "1"], ["block", "10.0.0.1"]):
            done = opp2p.run(*words, "--data-dir", node)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("runs without its peer-to-peer layer (--p2p.disable)", done.stderr)
        process.terminate()
        self.assertEqual(process.wait(10), 0)

    def test_a_peerstore_of_op_node_is_refused_and_told_of_where_op_node_makes_it(self):
        work = self.folder / "work"
        database = work / "opnode_peerstore_db"
        database.mkdir(parents=True)
        (database / "CURRENT").write_text("MANIFEST-000000\n")
        (database / "MANIFEST-000000").write_bytes(b"")
        # Somebody else's address cannot be listened at, so it ends by itself.
        common = ["node", "--rollup.config", self.rollup, "--data-dir", self.folder / "data", "--p2p.listen.ip", "203.0.113.1", "--rpc.port", "0"]
        refused = opp2p.run(*common, "--p2p.peerstore.path", "opnode_peerstore_db", cwd=work)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("opp2p peerstore import opnode_peerstore_db", refused.stderr)
        told = opp2p.run(*common, cwd=work)
        self.assertRegex(told.stderr, "lvl=warn .*op-node's peerstore is in the working folder.*opp2p peerstore import")
        self.assertIn("cannot start the node's listen addresses: --p2p.listen.ip", told.stderr)

    def test_a_node_listens_on_both_families_and_tells_the_announced_addresses_too(self):
        if not opp2p.has_ipv6_loopback():
            self.skipTest("this machine has no ::1")
        node = self.node("--p2p.listen.ip", "127.0.0.1,::1", "--p2p.advertise.ip", "198.51.100.7", "--p2p.advertise.tcp", "4001")
        addresses = node.rpc("opp2p_self")["addresses"]
        self.assertTrue(addresses[0].startswith("/ip4/198.51.100.7/tcp/4001/p2p/"), addresses)
        for family in ("/ip4/127.0.0.1/tcp/", "/ip6/::1/tcp/"):
            (address,) = [one for one in addresses if one.startswith(family)]
            other = opp2p.Node(self.folder / family[1:4], "--rollup.config", self.rollup, "--p2p.static", address)
            self.addCleanup(other.stop)
            other.ready()
            opp2p.wait_for(lambda: node.peer_id in other.rpc("opp2p_peers", True)["peers"], 20, f"connected by {family}")
            peer = other.rpc("opp2p_peers", True)["peers"][node.peer_id]
            opp2p.wait_for(lambda: any("198.51.100.7" in one for one in other.rpc("opp2p_peers", True)["peers"][node.peer_id]["addresses"]), 20,
                           "it was told the announced address")
            self.assertEqual(peer["peerID"], node.peer_id)

    def test_the_nodes_of_a_devnet_do_not_take_the_options_of_an_operators_node(self):
        done = opp2p.run("devnet", "--json", "--for", 4, "--block-time", 1, "--nodes", 1, env={
            **os.environ, "OP_NODE_P2P_STATIC": "nobody", "OP_NODE_SEQUENCER_ENABLED": "true", "OP_NODE_P2P_SEQUENCER_KEY": "11" * 32})
        summary = opp2p.json_lines(done.stdout)[-1]
        self.assertTrue(summary["ok"], done.stdout[-2000:] + done.stderr)

    def test_help_is_on_standard_output(self):
        plain, whole = opp2p.run("node", "--help"), opp2p.run("node", "--help-all")
        for done in (plain, whole):
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        self.assertNotIn("--p2p.priv.raw", plain.stdout)
        self.assertIn("--p2p.priv.raw", whole.stdout)
        self.assertIn("kona-node has", plain.stdout)
        self.assertRegex(opp2p.run("node", "--version").stdout, r"^opp2p \S+.*\n$")
        self.assertIn("node", opp2p.run("--help").stdout)
        with open("/dev/full", "w") as full:
            done = subprocess.run([opp2p.PROGRAM, "node", "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
