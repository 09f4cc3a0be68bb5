"""What clients of the JSON-RPC can do to a node: ask for more than it can compute or hold, hold its places, and send web pages'
requests. The node goes on, ends in order, and stays within its memory."""

import concurrent.futures
import json
import pathlib
import shutil
import socket
import tempfile
import threading
import time
import unittest

from lib import made_chain, opp2p

BLOCKS = 300
SCRATCH = tempfile.TemporaryDirectory()  # removed when the interpreter ends


def call(name, *params, number=1):
    return {"jsonrpc": "2.0", "id": number, "method": name, "params": list(params)}


def post(body, *headers):
    lines = ["POST / HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class RpcCase(unittest.TestCase):
    folder = None

    @classmethod
    def setUpClass(cls):
        if RpcCase.folder is not None:
            return
        RpcCase.folder = pathlib.Path(SCRATCH.name)
        key, RpcCase.options, envelopes = made_chain.make(cls.folder, BLOCKS, 20_000)
        node = made_chain.sequencer(cls.folder / "made", key, cls.options)
        try:
            for envelope in envelopes:
                node.rpc("admin_publishUnsafePayload", json.loads(envelope))
            assert node.stop() == 0
        finally:
            node.kill()

    def node(self, *options):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        shutil.copytree(self.folder / "made" / "blocks", folder / "blocks")
        node = opp2p.Node(folder, *self.options, *options)
        self.addCleanup(node.kill)
        return node.ready()

    def dial(self, node, data=b"", timeout=15):
        connection = socket.create_connection(("127.0.0.1", node.port), timeout=timeout)
        self.addCleanup(connection.close)
        connection.sendall(data)
        return connection

    def exchange(self, node, data):
        """All that comes back for a raw request."""
        connection = self.dial(node, data)
        got = b""
        while part := connection.recv(65536):
            got += part
        return got.decode()


class Work(RpcCase):
    def test_a_batch_has_a_budget_and_says_what_is_spent(self):
        node = self.node()
        asked = [call("opp2p_chain", 1 + i % 7, 293 - i % 7, number=i) for i in range(2500)]
        answers = json.loads(opp2p.http(node.port, json.dumps(asked).encode()))
        self.assertEqual([answer["id"] for answer in answers], list(range(2500)))
        answered = [answer for answer in answers if "result" in answer]
        self.assertLess(len(json.dumps(answered)), 12 << 20)
        self.assertGreater(len(answered), 100)
        self.assertIn("response too large", answers[-1]["error"]["message"])
        self.assertIn("10485760", answers[-1]["error"]["message"])

    def test_sigterm_ends_the_node_while_clients_have_it_compute(self):
        node = self.node()
        batch = json.dumps([call("opp2p_chain", 1 + i % 250, 1000) for i in range(5000)]).encode()
        for _ in range(8):
            self.dial(node, post(batch))
        time.sleep(0.3)  # they are being computed
        started = time.monotonic()
        self.assertEqual(node.stop(seconds=5), 0)
        self.assertLess(time.monotonic() - started, 5)
        self.assertIn('msg="stopped"', node.log())

    def test_answers_that_nobody_reads_are_bounded_when_they_are_made(self):
        node = self.node()
        opp2p.http(node.port, json.dumps([call("opp2p_chain", 1, 1000)] * 30).encode())
        before = opp2p.memory_mib(node.process.pid, "RssAnon")
        batch = json.dumps([call("opp2p_chain", 1, 1000)] * 370).encode()
        self.assertLess(len(batch), 33_000)
        clients = [self.dial(node, post(batch)) for _ in range(60)]
        peak = 0.0
        for _ in range(40):
            time.sleep(0.05)
            peak = max(peak, opp2p.memory_mib(node.process.pid, "RssAnon"))
        self.assertLess(peak, before + 48, "MiB")
        self.assertTrue(node.status()["peerID"])
        self.assertEqual(len(clients), 60)

    def test_bodies_that_wait_are_bounded_and_small_requests_go_on(self):
        node = self.node()
        before = opp2p.memory_mib(node.process.pid, "RssAnon")
        body = b'["' + b"x" * (5 << 20) + b'"]'
        half = post(body[: 5 << 20])[:-100]
        clients = [socket.create_connection(("127.0.0.1", node.port), timeout=15) for _ in range(40)]
        for client in clients:
            self.addCleanup(client.close)

        def send(client):
            try:
                client.sendall(half)
            except OSError:
                pass  # refused

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(send, clients))
        self.assertLess(opp2p.memory_mib(node.process.pid, "RssAnon"), before + 48, "MiB")
        self.assertTrue(node.status()["peerID"])


class Places(RpcCase):
    def test_idle_sockets_do_not_lock_out_the_rpc(self):
        node = self.node()
        idle = [self.dial(node) for _ in range(300)]
        started = time.monotonic()
        self.assertTrue(node.status()["peerID"])
        self.assertIn(b"version", opp2p.http(node.port, None, "/healthz", "GET"))
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(len(idle), 300)

    def test_healthz_is_answered_while_all_places_are_at_work(self):
        node = self.node("--rpc.enable-admin")
        unread = post(json.dumps([call("opp2p_chain", 1, 1000)] * 30).encode())
        stop = threading.Event()

        def occupy():
            # A request each that is under way: its last byte does not come.
            clients = [self.dial(node, unread[:-1]) for _ in range(128)]
            stop.wait(10)
            return clients

        thread = threading.Thread(target=occupy)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        time.sleep(0.5)
        for _ in range(20):
            self.assertIn(b"version", opp2p.http(node.port, None, "/healthz", "GET"))
        # They make no progress, and two seconds later they go for newcomers.
        opp2p.wait_for(lambda: self.status_or_none(node), 5, "the RPC answers again")

    def status_or_none(self, node):
        try:
            return node.status()
        except OSError:
            return None


class Browsers(RpcCase):
    ASK = json.dumps(call("opp2p_status")).encode()

    def ask(self, node, *headers, method="POST", path="/", body=None):
        body = self.ASK if body is None else body
        lines = [f"{method} {path} HTTP/1.1", "Content-Type: application/json", "Connection: close", *headers,
                 f"Content-Length: {len(body)}"]
        if not any(header.startswith("Host:") for header in headers):
            lines.append("Host: 127.0.0.1")
        return self.exchange(node, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def test_a_web_page_is_refused_and_told_the_option(self):
        node = self.node("--rpc.enable-admin")
        for headers in (["Origin: https://evil.example"], ["Origin: null"], ["Origin: http://127.0.0.1:8000"],
                        ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site"],
                        ["Sec-Fetch-Site: same-origin", "Host: evil.example"]):
            for method, path in (("POST", "/"), ("OPTIONS", "/"), ("GET", "/"), ("GET", "/healthz")):
                answer = self.ask(node, *headers, method=method, path=path)
                self.assertIn("HTTP/1.1 403", answer, (headers, method))
                self.assertIn("--rpc.cors", answer)
                self.assertNotIn("Access-Control", answer)
        for headers in ([], ["Host: a-container:9545"], ["Sec-Fetch-Site: none"]):
            answer = self.ask(node, *headers)
            self.assertIn("HTTP/1.1 200", answer)
            self.assertNotIn("Access-Control", answer)

    def test_an_origin_that_is_named_may(self):
        node = self.node("--rpc.cors", "https://status.example.org")
        answer = self.ask(node, "Origin: https://status.example.org", "Sec-Fetch-Site: cross-site")
        self.assertIn("HTTP/1.1 200", answer)
        self.assertIn("Access-Control-Allow-Origin: https://status.example.org\r\n", answer)
        preflight = self.ask(node, "Origin: https://status.example.org", "Access-Control-Request-Method: POST", method="OPTIONS", body=b"")
        self.assertIn("HTTP/1.1 204", preflight)
        self.assertIn("Access-Control-Allow-Headers: content-type, authorization", preflight)
        self.assertIn("HTTP/1.1 403", self.ask(node, "Origin: https://evil.example"))
        done = opp2p.run("node", *self.options, "--data-dir", self.folder / "x", "--rpc.cors", "status.example.org", timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--rpc.cors", done.stderr)

    def test_methods_that_change_something_want_the_token(self):
        node = self.node("--rpc.enable-admin")
        file = node.folder / "rpc.token"
        self.assertEqual((len(file.read_text()), file.stat().st_mode & 0o777), (64, 0o600))
        methods = (("opp2p_connectPeer", "nonsense"), ("opp2p_disconnectPeer", "nonsense"), ("admin_postUnsafePayload", {}),
                   ("admin_publishUnsafePayload", {}))
        for name, parameter in methods:
            for token in (None, "0" * 64, file.read_text()[:-1]):
                with self.assertRaises(opp2p.RpcError) as refused:
                    opp2p.rpc(node.port, name, parameter, token=token)
                self.assertEqual(refused.exception.code, -32001)
                self.assertIn("Authorization: Bearer TOKEN", str(refused.exception))
                self.assertIn("rpc.token", str(refused.exception))
            with self.assertRaises(opp2p.RpcError) as understood:
                node.rpc(name, parameter)
            self.assertNotEqual(understood.exception.code, -32001, name)
        token = node.token()
        self.assertEqual(node.stop(), 0)
        node.start().ready()
        self.assertEqual(node.token(), token, "it is kept over a restart")

    def test_an_operator_can_open_them(self):
        node = self.node("--rpc.unsafe-open")
        with self.assertRaises(opp2p.RpcError) as understood:
            opp2p.rpc(node.port, "opp2p_connectPeer", "nonsense")
        self.assertIn("bad peer address", str(understood.exception))
        self.assertFalse((node.folder / "rpc.token").exists())
        self.assertIn("--rpc.unsafe-open", node.log())


if __name__ == "__main__":
    unittest.main()
