"""The commands on a running node: opp2p peers, peer, why, bans, block and unblock, and the RPC methods behind them."""

import http.server
import json
import os
import pathlib
import shutil
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

from lib import made_chain, opp2p

STRANGER = "16Uiu2HAmRSrRLt1WGen9X1E6RrfsyG2hjmYWrxFb8Xs9SyvEZj9t"


class Stranger:
    """A program that listens where a node is expected. It answers every request the same, and keeps the headers."""

    def __init__(self, answer, status=200):
        self.tokens = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                outer.tokens.append(self.headers.get("Authorization"))
                self.rfile.read(int(self.headers["Content-Length"]))
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Strangers(unittest.TestCase):
    COMMANDS = (["block", "10.0.0.1"], ["unblock", "10.0.0.1"], ["bans"], ["bans", "undo", "10.0.0.1"], ["peers"], ["why", "1"], ["why", STRANGER],
                ["peer", STRANGER])

    def test_what_is_not_json_rpc_is_never_a_success(self):
        for answer, status in (({}, 200), ({"ok": True}, 200), ([], 200), ({"result": None}, 500), ({"error": None}, 200)):
            with Stranger(answer, status) as stranger:
                for words in self.COMMANDS:
                    done = opp2p.run(*words, "--rpc", f"127.0.0.1:{stranger.port}")
                    self.assertEqual((done.returncode, done.stdout), (1, ""), (words, answer))
                    self.assertIn(f"not JSON-RPC (HTTP status {status})", done.stderr)
        with Stranger({"result": "hello"}) as stranger:
            for words in self.COMMANDS:
                done = opp2p.run(*words, "--rpc", f"127.0.0.1:{stranger.port}")
                self.assertEqual((done.returncode, done.stdout), (1, ""), words)
                self.assertIn("the RPC answers with a text instead of", done.stderr)

    def test_the_token_of_the_data_folder_goes_to_no_other_program(self):
        with tempfile.TemporaryDirectory() as folder, Stranger({"result": {"peerID": "someone"}}) as stranger:
            (pathlib.Path(folder) / "rpc.token").write_text("5e" * 32)
            (pathlib.Path(folder) / "node.json").write_text(json.dumps({"peerId": STRANGER, "rpcPort": stranger.port}))
            for words in self.COMMANDS:
                done = opp2p.run(*words, "--data-dir", folder)
                self.assertEqual(done.returncode, 1, words)
                self.assertIn("is of a node that has ended: another program listens on", done.stderr)
                opp2p.run(*words, "--data-dir", folder, "--rpc", f"127.0.0.1:{stranger.port}")
            self.assertEqual(set(stranger.tokens), {None})
            opp2p.run("peers", "--rpc", f"127.0.0.1:{stranger.port}", "--rpc.token-file", pathlib.Path(folder) / "rpc.token")
            self.assertEqual(set(stranger.tokens), {None}, "reading needs no token")
            opp2p.run("block", "10.0.0.1", "--rpc", f"127.0.0.1:{stranger.port}", "--rpc.token-file", pathlib.Path(folder) / "rpc.token")
            self.assertEqual(set(stranger.tokens), {None, "Bearer " + "5e" * 32})


class RunningNodes(unittest.TestCase):
    """A sequencer with a few blocks, and a follower that the commands ask."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        key, cls.options, cls.envelopes = made_chain.make(folder, 6, 1000)
        cls.sequencer = made_chain.sequencer(folder / "sequencer", key, cls.options)
        cls.addClassCleanup(cls.sequencer.kill)
        cls.follower = opp2p.Node(folder / "follower", *cls.options, "--p2p.static", cls.sequencer.address).ready()
        cls.addClassCleanup(cls.follower.kill)
        opp2p.wait_for(lambda: cls.follower.rpc("opp2p_peerStats")["connected"] == 1, 10, "they are connected")
        opp2p.wait_for(lambda: cls.follower.status()["mesh"] == 1, 20, "they are in one mesh")
        for envelope in cls.envelopes[:3]:
            cls.sequencer.rpc("admin_publishUnsafePayload", json.loads(envelope))
        opp2p.wait_for(lambda: cls.follower.head() == 3, 20, "the follower has the blocks")

    def run_on(self, node, *arguments, code=0):
        done = opp2p.run(*arguments, "--data-dir", node.folder)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def ask(self, *arguments, code=0):
        return self.run_on(self.follower, *arguments, code=code)

    def as_json(self, *arguments):
        return json.loads(self.ask(*arguments, "--json"))


class Questions(RunningNodes):
    def test_peers_says_how_many_there_are_and_lists_them(self):
        lines = self.ask("peers").splitlines()
        self.assertIn("1 peer is connected", lines[0])
        self.assertTrue(any(line.startswith(self.sequencer.peer_id) for line in lines[2:]), lines)
        self.assertEqual(self.as_json("peers")["totalConnected"], 1)

    def test_the_node_itself_is_no_peer_of_its_own_but_in_the_rpc_as_in_op_node(self):
        own = self.follower.peer_id
        self.assertNotIn(own, self.ask("peers", "--all"))
        self.assertIn(own, self.as_json("peers", "--all")["peers"])
        self.assertIn("is this node itself", self.ask("why", own))
        self.assertIn("no peer whose id begins or ends with", self.ask("peer", own[-12:], code=1))

    def test_the_timeline_of_a_peer_begins_with_a_sentence_and_a_part_of_the_id_is_enough(self):
        peer = self.sequencer.peer_id
        for name in (peer, peer[-6:], peer[:20]):
            told = self.ask("peer", name)
            self.assertTrue(told.startswith(f"{peer} is connected"), told)
            for text in ("this node connected to it at /ip4/127.0.0.1/", "says that it is", "came into the mesh", "brought block 1, its first"):
                self.assertIn(text, told)
        events = [event["event"] for event in self.as_json("peer", peer)["timeline"]["events"]]
        self.assertEqual(events[0], "connected")
        self.assertEqual(len(self.as_json("peer", peer, "--events", 2)["timeline"]["events"]), 2)

    def test_why_explains_a_block_by_number_and_by_hash(self):
        hash_of_two = self.follower.rpc("opp2p_chain", 2, 1)[0]
        for name in ("2", "0x2", hash_of_two):
            told = self.ask("why", name)
            self.assertEqual(told.count("\n"), 1, told)
            self.assertRegex(told, rf"^Block 2 \(0x[0-9a-f]{{8}}…[0-9a-f]{{4}}\) was accepted")
            self.assertIn(f"{self.sequencer.peer_id} brought it first", told)
            self.assertIn("stored and canonical", told)
        self.assertIn("above its head, 3", self.ask("why", "99"))
        self.assertIn("knows nothing of block 0xeeee", self.ask("why", "0x" + "ee" * 32))
        self.assertEqual(self.as_json("why", "2")["records"][0]["verdict"], "accept")

    def test_why_explains_a_peer(self):
        self.assertIn("is connected", self.ask("why", self.sequencer.peer_id[-8:]))
        self.assertIn("is not known", self.ask("why", STRANGER))

    def test_what_does_not_fit_is_told_with_what_to_do(self):
        self.assertIn("no peer whose id begins or ends with 'nobody'", self.ask("peer", "nobody", code=1))
        self.assertIn("too short", self.ask("peer", "16", code=1))
        # The texts of hashes of two and three bytes, which are no key's: parts of an id like any others.
        for short in ("16SdFx", "1u2a"):
            self.assertIn("no peer whose id begins or ends with", self.ask("peer", short, code=1))
        self.assertIn("invalid argument 0", self.ask("why", "99999999999999999999", code=1))

    def test_without_a_running_node_the_sentence_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            for words in (["peers"], ["peer", "abcdef"], ["why", "1"], ["bans"], ["block", "10.0.0.1"]):
                done = opp2p.run(*words, "--data-dir", folder)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(f"no node is running with --data-dir {folder}", done.stderr)
            (pathlib.Path(folder) / "node.json").write_text('{"rpcPort":1}')
            done = opp2p.run("peers", "--data-dir", folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("node.json is of a node that has ended", done.stderr)
            self.assertIn("does not answer", done.stderr)
            for damaged in ("", "{", "[]", '{"rpcPort":"x"}', '{"rpcPort":0}', '{"rpcPort":99999}', "\xff" * 100):
                (pathlib.Path(folder) / "node.json").write_text(damaged, encoding="latin-1")
                done = opp2p.run("peers", "--data-dir", folder)
                self.assertEqual(done.returncode, 1, damaged)
                self.assertIn("--rpc URL", done.stderr)
            (pathlib.Path(folder) / "node.json").unlink()
            os.mkfifo(pathlib.Path(folder) / "node.json")
            done = opp2p.run("peers", "--data-dir", folder)  # and does not wait for a writer
            self.assertIn("node.json is no regular file. Or give --rpc URL", done.stderr)

    def test_a_token_that_cannot_be_read_is_told_with_the_change_that_wants_it(self):
        about = pathlib.Path(self.follower.folder) / "node.json"
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(about, folder)
            os.mkfifo(pathlib.Path(folder) / "rpc.token")
            self.assertIn("1 peer is connected", opp2p.run("peers", "--data-dir", folder).stdout)
            done = opp2p.run("block", "10.0.0.1", "--data-dir", folder)
            self.assertIn("rpc.token is no regular file. A change wants the token", done.stderr)
            (pathlib.Path(folder) / "empty").touch()
            for file, why in (("none", "No such file"), ("empty", "holds no token"), ("/dev/zero", "holds no token")):
                done = opp2p.run("block", "10.0.0.1", "--data-dir", folder, "--rpc.token-file", pathlib.Path(folder) / file)
                self.assertIn("--rpc.token-file: ", done.stderr)
                self.assertIn(why, done.stderr)
            (pathlib.Path(folder) / "rpc.token").unlink()
            (pathlib.Path(folder) / "rpc.token").write_text(" \n")
            self.assertIn("rpc.token holds no token", opp2p.run("block", "10.0.0.1", "--data-dir", folder).stderr)

    def test_the_rpc_can_be_given_by_its_url(self):
        for url in (f"http://127.0.0.1:{self.follower.port}/", f"127.0.0.1:{self.follower.port}", f"localhost:{self.follower.port}"):
            done = opp2p.run("peers", "--rpc", url)
            self.assertIn("1 peer is connected", done.stdout, done.stderr)
        for url in ("x", "http://127.0.0.1", "127.0.0.1:0", "https://127.0.0.1:1", "127.0.0.1:99999"):
            done = opp2p.run("peers", "--rpc", url)
            self.assertEqual(done.returncode, 1, url)
            self.assertIn("--rpc", done.stderr)


class Changes(RunningNodes):
    def wait_connected(self, count):
        opp2p.wait_for(lambda: self.follower.rpc("opp2p_peerStats")["connected"] == count, 70, f"{count} peers are connected")

    def test_a_blocked_peer_is_gone_at_once_and_returns_when_it_is_unblocked(self):
        peer = self.sequencer.peer_id
        self.wait_connected(1)
        self.assertIn(f"The peer {peer} is blocked", self.ask("block", peer[-8:]))
        self.wait_connected(0)
        self.assertEqual(self.follower.rpc("opp2p_listBlockedPeers"), [peer])
        self.assertIn("is blocked by the operator", self.ask("why", peer[-8:]))
        self.assertIn("disconnected:", self.ask("peer", peer))
        self.assertIn(f"The peer {peer} is neither blocked nor banned.", self.ask("unblock", peer))
        self.assertEqual(self.follower.rpc("opp2p_listBlockedPeers"), [])
        self.wait_connected(1)

    def test_addresses_and_subnets_are_blocked_in_their_canonical_form(self):
        self.assertIn("The address 10.1.2.3 is blocked", self.ask("block", "::ffff:10.1.2.3"))
        self.assertIn("The subnet 10.2.0.0/16 is blocked", self.ask("block", "10.2.3.4/16"))
        self.assertEqual(self.follower.rpc("opp2p_listBlockedAddrs"), ["10.1.2.3"])
        self.assertEqual(self.follower.rpc("opp2p_listBlockedSubnets"), [{"IP": "10.2.0.0", "Mask": "//8AAA=="}])
        self.ask("unblock", "10.1.2.3")
        self.ask("unblock", "10.2.0.0/16")
        self.assertEqual(self.follower.rpc("opp2p_listBlockedAddrs") + self.follower.rpc("opp2p_listBlockedSubnets"), [])
        self.assertIn("The address 10.1.2.3 is not blocked.", self.ask("unblock", "10.1.2.3"), "whether it was blocked or not")
        self.assertIn("10.2.0.0/33", self.ask("block", "10.2.0.0/33", code=1))

    def test_unblock_names_what_still_keeps_its_target_out(self):
        self.ask("block", "10.0.0.0/8")
        for target, what in (("10.1.2.3", "address"), ("10.0.0.0/9", "subnet")):
            self.assertIn(f"The {what} {target} is no entry of the blocked any more, but it is still kept out by the subnet 10.0.0.0/8.",
                          self.ask("unblock", target))
        self.assertIn("The subnet 10.0.0.0/8 is not blocked.", self.ask("unblock", "10.0.0.0/8"))
        self.follower.rpc("opp2p_ban", "10.1.2.3", 60, "for a test")
        self.assertIn("still kept out by a ban of it", self.ask("unblock", "10.1.2.3"))
        self.ask("bans", "undo", "10.1.2.3")

    def test_the_node_of_bans_undo_may_be_named_before_the_word(self):
        done = opp2p.run("bans", "--rpc", "http://127.0.0.1:1", "undo", "10.1.2.3")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("127.0.0.1:1", done.stderr)

    def test_what_would_cut_the_node_off_is_not_blocked(self):
        self.assertIn("has every address", self.ask("block", "0.0.0.0/0", code=1))
        self.assertIn("this is the node's own peer id", self.ask("block", self.follower.peer_id, code=1))
        self.assertEqual(self.follower.rpc("opp2p_listBlockedPeers") + self.follower.rpc("opp2p_listBlockedSubnets"), [])

    def test_a_change_needs_the_token_and_says_so(self):
        done = opp2p.run("block", "10.9.9.9", "--rpc", f"127.0.0.1:{self.follower.port}", "--data-dir", "/nonexistent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("rpc.token", done.stderr)
        token = self.follower.folder / "rpc.token"
        done = opp2p.run("block", "10.9.9.9", "--rpc", f"127.0.0.1:{self.follower.port}", "--rpc.token-file", token)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.ask("unblock", "10.9.9.9")

    def test_no_web_page_and_nobody_without_the_token_changes_anything(self):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "opp2p_blockPeer", "params": [STRANGER]}).encode()
        with self.assertRaises(opp2p.RpcError) as refused:
            opp2p.rpc(self.follower.port, "opp2p_blockPeer", STRANGER)
        self.assertEqual(refused.exception.code, -32001)
        headers = {"Content-Type": "application/json", "Origin": "http://evil.example"}
        for more in ({}, {"Authorization": f"Bearer {self.follower.token()}"}):
            request = urllib.request.Request(f"http://127.0.0.1:{self.follower.port}/", data=body, headers={**headers, **more})
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            self.assertEqual(refused.exception.code, 403)
        self.assertEqual(self.follower.rpc("opp2p_listBlockedPeers"), [])


class Lasting(RunningNodes):
    def restart(self):
        self.follower.kill()
        self.follower.start().ready()

    def test_blocks_bans_and_their_undo_outlive_a_kill(self):
        peer = self.sequencer.peer_id
        self.ask("block", STRANGER)
        self.ask("block", "10.1.2.0/24")
        self.follower.rpc("opp2p_ban", peer, 600, "a test of bans")
        self.follower.rpc("opp2p_ban", "10.7.7.7", 600)
        self.restart()
        self.assertEqual(self.follower.rpc("opp2p_listBlockedPeers"), [STRANGER])
        self.assertEqual(len(self.follower.rpc("opp2p_listBlockedSubnets")), 1)
        told = self.ask("bans")
        self.assertTrue(told.startswith("2 bans hold."), told)
        self.assertRegex(told, rf"{peer} until \S+ \S+ UTC \(\d+ min( \d+ s)? left\), by rule operator_request: .*a test of bans")
        self.assertIn("is banned until", self.ask("why", peer[-8:]))
        self.assertEqual(self.follower.rpc("opp2p_peerStats")["connected"], 0, "the banned peer is static, and stays out")
        self.assertIn(f"The ban of {peer} is undone", self.ask("bans", "undo", peer[-8:]))
        self.assertIn("The ban of 10.7.7.7 is undone", self.ask("bans", "undo", "10.7.7.7"))
        self.assertIn("was not banned", self.ask("bans", "undo", "10.7.7.7"))
        self.ask("unblock", STRANGER)
        self.ask("unblock", "10.1.2.0/24")
        self.restart()
        self.assertEqual(self.ask("bans"), "Nobody is banned.\n")
        self.assertEqual(self.follower.rpc("opp2p_listBlockedPeers") + self.follower.rpc("opp2p_listBlockedSubnets"), [])
        opp2p.wait_for(lambda: self.follower.rpc("opp2p_peerStats")["connected"] == 1, 30, "the peer is connected again")

    def test_a_static_peer_that_was_added_outlives_a_kill_and_one_of_the_flags_is_not_removed(self):
        address = f"/ip4/127.0.0.1/tcp/1/p2p/{STRANGER}"
        self.assertTrue(self.follower.rpc("opp2p_addStaticPeer", address))
        self.restart()
        sources = {peer["peer"]: peer["source"] for peer in self.follower.rpc("opp2p_staticPeers")}
        self.assertEqual(sources, {STRANGER: "stored", self.sequencer.peer_id: "flag"})
        with self.assertRaises(opp2p.RpcError) as refused:
            self.follower.rpc("opp2p_removeStaticPeer", self.sequencer.peer_id)
        self.assertEqual(refused.exception.code, -32000)
        self.assertTrue(self.follower.rpc("opp2p_removeStaticPeer", STRANGER))
        self.restart()
        self.assertEqual([peer["peer"] for peer in self.follower.rpc("opp2p_staticPeers")], [self.sequencer.peer_id])


if __name__ == "__main__":
    unittest.main()
