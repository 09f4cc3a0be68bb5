"""A web page in headless Chromium against a node on the same machine: what any website can try through its visitor's browser.

Part of `./test full` (suite "browser"). The page comes from another port of loopback, which a browser counts as the same site, and
asks under 127.0.0.1 and under localhost, which it counts as another one.
"""

import http.server
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import unittest

from lib import made_chain, opp2p

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

PAGE = """<!DOCTYPE html><html><body><iframe name="sink"></iframe><script>
const config = %s;
const ask = JSON.stringify({jsonrpc: "2.0", id: 1, method: "opp2p_disconnectPeer", params: [config.peer]});
const status = JSON.stringify({jsonrpc: "2.0", id: 1, method: "opp2p_status", params: []});
async function attempt(options, path) {
  try {
    const answer = await fetch(config.node + (path || "/"), options);
    return (answer.type == "opaque" ? "opaque " : "read ") + answer.status + " " + (await answer.text()).slice(0, 90);
  } catch (error) { return "refused " + error; }
}
function image(path) {
  return new Promise((resolve) => {
    const element = new Image();
    element.onload = () => resolve("read");
    element.onerror = () => resolve("refused");
    element.src = config.node + path;
  });
}
function form() {
  const element = document.createElement("form");
  element.method = "POST"; element.action = config.node + "/"; element.enctype = "text/plain"; element.target = "sink";
  const input = document.createElement("input");
  input.name = ask.slice(0, -1) + ',"x":"'; input.value = '"}';
  element.appendChild(input); document.body.appendChild(element); element.submit();
  return new Promise((resolve) => setTimeout(() => resolve("sent"), 500));
}
(async () => {
  const json = {"Content-Type": "application/json"};
  const found = {
    simple: await attempt({method: "POST", body: status, headers: {"Content-Type": "text/plain"}}),
    blind: await attempt({method: "POST", body: ask, mode: "no-cors"}),
    preflight: await attempt({method: "POST", body: status, headers: json}),
    token: await attempt({method: "POST", body: ask, headers: {...json, Authorization: "Bearer " + "0".repeat(64)}}),
    health: await attempt({}, "/healthz"),
    image: await image("/healthz"),
    form: await form(),
  };
  await fetch("/report", {method: "POST", body: JSON.stringify(found)});
})();
</script></body></html>"""


class Website:
    """Serves the page and hears what it could do."""

    def __init__(self, node_url, peer):
        site = self
        self.report, self.heard = None, threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write((PAGE % json.dumps({"node": node_url, "peer": peer})).encode())

            def do_POST(self):
                site.report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()
                site.heard.set()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@unittest.skipUnless(CHROMIUM, "there is no chromium (tools/setup full installs it)")
class Browser(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        _, self.options, _ = made_chain.make(self.folder, 0, 0)

    def node(self, *options, name="node"):
        node = opp2p.Node(self.folder / name, *self.options, *options)
        self.addCleanup(node.kill)
        return node.ready()

    def visit(self, site):
        """What the page could do in a browser that opened it."""
        browser = subprocess.Popen([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                                    f"--user-data-dir={self.folder / 'profile'}", "--remote-debugging-port=0", site.origin + "/"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.assertTrue(site.heard.wait(20), "the page did not report")
        finally:
            browser.terminate()
            browser.wait(10)
        return site.report

    def site(self, node, host, peer):
        site = Website(f"http://{host}:{node.port}", peer)
        self.addCleanup(site.close)
        return site

    def test_a_page_can_neither_read_nor_change_anything(self):
        other = self.node(name="other")
        # Without the token as well, so that only what is told of browsers protects the node.
        node = self.node("--p2p.static", other.address, "--rpc.unsafe-open", "--rpc.enable-admin")
        opp2p.wait_for(lambda: node.status()["peers"] == 1, 10, "connected")
        for host in ("127.0.0.1", "localhost"):
            with self.subTest(host=host):
                found = self.visit(self.site(node, host, other.peer_id))
                for way in ("simple", "preflight", "token", "health", "image"):
                    self.assertTrue(found[way].startswith("refused"), found)
                self.assertFalse(found["blind"].startswith("read"), found)
                self.assertEqual(found["form"], "sent")
                self.assertEqual(node.status()["peers"], 1, "the peer is still there")
                self.assertNotIn("asked for by the operator", node.log())

    def test_a_page_whose_origin_is_named_can_read(self):
        node = self.node(name="first")
        site = self.site(node, "127.0.0.1", node.peer_id)
        self.assertTrue(self.visit(site)["preflight"].startswith("refused"))
        node.stop()
        named = self.node("--rpc.cors", site.origin, "--rpc.port", str(node.port), name="named")
        site.heard.clear()
        found = self.visit(site)
        self.assertIn('read 200 {"jsonrpc":"2.0","id":1,"result"', found["preflight"])
        self.assertIn("read 200", found["health"])
        self.assertIn("-32001", found["token"], "what changes something wants the token all the same")
        other = self.visit(self.site(named, "127.0.0.1", named.peer_id))
        self.assertTrue(other["preflight"].startswith("refused"), "another port is another origin")
