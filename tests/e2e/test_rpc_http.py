"""The RPC's HTTP as real clients use it: curl, wget, Python's http.client, load balancers and probes."""

import http.client
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from lib import made_chain, opp2p

SCRATCH = tempfile.TemporaryDirectory()  # removed when the interpreter ends
ASK = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "opp2p_status", "params": []})


def client(*command):
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)


class HttpCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH.name))
        cls.key, cls.options, cls.envelopes = made_chain.make(cls.folder, 3, 100)
        cls.node = made_chain.sequencer(cls.folder / "node", cls.key, cls.options)
        cls.url = f"http://127.0.0.1:{cls.node.port}"

    @classmethod
    def tearDownClass(cls):
        cls.node.kill()

    def get(self, path, method="GET", node=None):
        connection = http.client.HTTPConnection("127.0.0.1", (node or self.node).port, timeout=20)
        self.addCleanup(connection.close)
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()


class Probes(HttpCase):
    def test_readyz_says_whether_the_node_follows_and_healthz_stays_200(self):
        status, body = self.get("/readyz")
        self.assertEqual((status, json.loads(body)["ok"]), (503, False))
        self.assertIn("no block", json.loads(body)["why"])
        for envelope in self.envelopes:
            self.node.rpc("admin_publishUnsafePayload", json.loads(envelope))
        version = self.node.rpc("optimism_version")
        for path in ("/readyz", "/readyz/", "/healthz", "/healthz/"):
            for method in ("GET", "POST"):
                status, body = self.get(path, method)
                self.assertEqual((status, json.loads(body)), (200, {"version": version, "ok": True, "why": ""}), path)
        told = self.node.status()
        self.assertEqual(told["version"], version)
        self.assertLess(told["headAgeSeconds"], 60)
        self.assertGreaterEqual(told["uptimeSeconds"], 0)

    def test_a_head_of_an_hour_ago_is_not_ready(self):
        folder = self.folder / "old"
        folder.mkdir()
        done = subprocess.run([made_chain.CHAIN_MAKER, str(int(time.time()) - 3600), "1", "100"], stdout=subprocess.PIPE, text=True,
                              check=True)
        about, envelope = (json.loads(line) for line in done.stdout.splitlines())
        (folder / "rollup.json").write_text(json.dumps(about["rollupConfig"]))
        node = made_chain.sequencer(folder / "node", about["signerKey"], ["--rollup.config", folder / "rollup.json",
                                                                          *made_chain.OPTIONS])
        self.addCleanup(node.kill)
        node.rpc("admin_publishUnsafePayload", envelope)
        status, body = self.get("/readyz", node=node)
        self.assertEqual(status, 503)
        self.assertRegex(json.loads(body)["why"], r"the head is 3[56]\d\d s old, more than 60 s")
        status, body = self.get("/healthz", node=node)
        self.assertEqual((status, json.loads(body)["ok"]), (200, False))
        self.assertGreater(node.status()["headAgeSeconds"], 3500)

    def test_the_version_has_the_commit_and_is_one_everywhere(self):
        version = self.node.rpc("optimism_version")
        self.assertEqual(opp2p.run("--version").stdout.split(), ["opp2p", version])
        if (opp2p.ROOT / ".git").exists() and shutil.which("git"):
            self.assertRegex(version, r"^\d+\.\d+\.\d+-[0-9a-f]{8,}(-dirty)?$")
        else:
            self.assertRegex(version, r"^\d+\.\d+\.\d+$")

    def test_the_modules_are_told(self):
        self.assertEqual(self.node.rpc("rpc_modules"),
                         {name: "1.0" for name in ("admin", "health", "opp2p", "optimism", "rpc")})


class Clients(HttpCase):
    def test_pythons_client_goes_on_after_head(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=20)
        self.addCleanup(connection.close)
        for path, status in (("/healthz", 200), ("/", 200), ("/other", 404), ("/readyz", None), ("/?x", 415)):
            connection.request("HEAD", path)
            answer = connection.getresponse()
            self.assertEqual(answer.read(), b"")
            if status is not None:
                self.assertEqual(answer.status, status, path)
            connection.request("POST", "/", ASK, {"Content-Type": "Application/JSON"})
            self.assertIn("result", json.loads(connection.getresponse().read()))

    def test_curl(self):
        if shutil.which("curl") is None:
            self.skipTest("curl is not installed")
        head = client("curl", "-sS", "-I", self.url + "/healthz")
        self.assertTrue(head.stdout.startswith("HTTP/1.1 200 OK"), head.stdout)
        # Through a proxy, here the node itself, curl names the server in the target.
        through = client("curl", "-sS", "--noproxy", "", "--proxy", self.url, self.url + "/healthz")
        self.assertEqual(json.loads(through.stdout)["version"], self.node.rpc("optimism_version"))
        large = client("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "X: " + "a" * 60_000, self.url + "/healthz")
        self.assertEqual(large.stdout, "200")
        larger = client("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "X: " + "a" * 66_000, self.url + "/healthz")
        self.assertEqual(larger.stdout, "431")
        began = time.monotonic()
        self.assertNotEqual(client("curl", "-sSk", self.url.replace("http", "https", 1)).returncode, 0)
        self.assertLess(time.monotonic() - began, 15)  # it was answered, and not left to a time-out of 30 s

    def test_wget(self):
        if shutil.which("wget") is None:
            self.skipTest("wget is not installed")
        for path in ("/healthz", "/"):
            done = client("wget", "--spider", "--tries=1", "--no-proxy", self.url + path)
            self.assertEqual(done.returncode, 0, done.stdout)
        missing = client("wget", "--spider", "--tries=1", "--no-proxy", self.url + "/other")
        self.assertEqual(missing.returncode, 8, missing.stdout)  # the server said an error

    def test_what_is_not_http_1_gets_400(self):
        for sent in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"hello\n"):
            with socket.create_connection(("127.0.0.1", self.node.port), timeout=20) as connection:
                connection.sendall(sent)
                got = b""
                while part := connection.recv(65536):
                    got += part
            self.assertTrue(got.startswith(b"HTTP/1.1 400 Bad Request\r\n"), (sent, got))

    def test_ids_and_numbers_come_as_they_should(self):
        for number in ("18446744073709551616", "1.5", "1e3", '"\\u0041"', "null", "true"):
            body = ASK.replace('"id": 1', '"id": ' + number)
            answer = opp2p.http(self.node.port, body.encode()).decode()
            self.assertTrue(answer.startswith('{"jsonrpc":"2.0","id":' + number + ',"result":'), answer)
            numbers = []
            told = json.loads(answer.replace('"id":' + number, '"id":0'), parse_float=lambda text, to=numbers: to.append(text))
            self.assertEqual([text for text in numbers if not re.fullmatch(r"-?\d+\.\d+", text)], [], answer)
            self.assertNotIn("error", told)


if __name__ == "__main__":
    unittest.main()
