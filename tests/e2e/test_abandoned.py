"""Work that its client gave up: the node ends it at once."""

import json
import pathlib
import socket
import tempfile
import time
import unittest

from lib import made_chain, opp2p


class Abandoned(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        _, options, _ = made_chain.make(self.folder, 1, 2000)
        self.node = opp2p.Node(self.folder / "node", *options)
        self.addCleanup(self.node.kill)
        self.node.ready()

    def test_a_dial_ends_when_the_client_that_asked_for_it_has_gone(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            peer = opp2p.run("key", "generate", "--out", self.folder / "other").stdout.strip()
            address = f"/ip4/127.0.0.1/tcp/{silent.getsockname()[1]}/p2p/{peer}"
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "opp2p_connectPeer", "params": [address]})
            with socket.create_connection(("127.0.0.1", self.node.port)) as client:
                client.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               f"Authorization: Bearer {self.node.token()}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                silent.settimeout(10)
                dialled, _ = silent.accept()
            began = time.monotonic()
            with dialled:
                dialled.settimeout(20)
                while dialled.recv(4096):
                    pass
            self.assertLess(time.monotonic() - began, 8, "the handshake's own limit is 10 s")
        self.assertEqual(self.node.stop(), 0)


if __name__ == "__main__":
    unittest.main()
