"""`opp2p node` on a bad day: peers that say nothing or nonsense, clients that do, a second node on the same data. It stays up, its
descriptors and memory come back, and it still ends in order."""

import json
import os
import pathlib
import shutil
import socket
import tempfile
import time
import unittest

from lib import opp2p

HEADER = b"\x13/multistream/1.0.0\n"
NOISE = b"\x07/noise\n"


def end_of(connection, seconds):
    """Reads until the other side ends the connection, and answers whether it did within the time."""
    until = time.monotonic() + seconds
    try:
        while (left := until - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(65536):
                return True
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


class BadDay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, scratch, ignore_errors=True)
        opp2p.run("devnet", "--for", 2, "--block-time", 1, "--nodes", 1, "--json", "--keep", "--data-dir", scratch / "devnet")
        cls.options = ["--rollup.config", scratch / "devnet" / "rollup.json"]
        cls.node = opp2p.Node(scratch / "node", *cls.options)
        cls.addClassCleanup(cls.node.kill)
        cls.node.ready()
        cls.p2p_port = int(cls.node.address.split("/")[4])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.node.process.pid}/fd"))

    def resident_bytes(self):
        fields = pathlib.Path(f"/proc/{self.node.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def dial(self, *sent):
        connection = socket.create_connection(("127.0.0.1", self.p2p_port), timeout=10)
        self.addCleanup(connection.close)
        for part in sent:
            try:
                connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                break  # it has had enough already
        return connection

    def assert_still_well(self):
        self.assertIsNone(self.node.process.poll(), self.node.log()[-2000:])
        self.assertTrue(self.node.rpc("optimism_version"))

    def test_what_is_no_handshake_is_ended_and_its_descriptors_come_back(self):
        before = self.descriptors()
        silent = [self.dial(), self.dial(HEADER), self.dial(HEADER, NOISE), self.dial(HEADER, NOISE, b"\xff\xffshort")]
        nonsense = [
            self.dial(b"\xff\xff\xff\xff\x0f" + b"a" * 1000),         # a line of 4 GiB
            self.dial(b"\xff" * 20),                                  # a number without end
            self.dial(b"\x00" * 100_000),                             # empty lines
            self.dial(HEADER + b"\x07/xoise\n" * 10_000),
            self.dial(HEADER + b"\x03ls\n" * 10_000),
            self.dial(HEADER, NOISE, b"\x00\x00"),
            self.dial(HEADER, NOISE, b"\x00\x20" + b"\x00" * 32),     # a key of zeros
            self.dial(HEADER, NOISE, b"\xff\xff" + b"\x5a" * 65_535),
        ]
        for index, connection in enumerate(nonsense + silent):
            self.assertTrue(end_of(connection, 15), f"connection {index} is still open")
        opp2p.wait_for(lambda: self.descriptors() <= before, 5, "descriptors come back")
        self.assert_still_well()

    def test_a_thousand_connections_leave_nothing_behind(self):
        before, memory = self.descriptors(), self.resident_bytes()
        for index in range(1000):
            with socket.create_connection(("127.0.0.1", self.p2p_port), timeout=10) as connection:
                if index % 2:
                    connection.sendall(HEADER)
        opp2p.wait_for(lambda: self.descriptors() <= before, 15, "descriptors come back")
        self.assertLess(self.resident_bytes(), memory + (32 << 20))
        self.assert_still_well()

    def test_requests_that_are_none_get_answers(self):
        deep = b'{"jsonrpc":"2.0","id":1,"method":"opp2p_peers","params":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
        for body, code in ((b"{bad", -32700), (b"", -32700), (b"[" * 1_000_000, -32700), (deep, -32700), (b"\xff\xfe", -32700),
                           (b"null", -32600), (b"[]", -32600), (b"1", -32600)):
            answer = json.loads(opp2p.http(self.node.port, body))
            self.assertEqual(answer["error"]["code"], code, body[:40])
        with socket.create_connection(("127.0.0.1", self.node.port), timeout=10) as large:
            large.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 6000000\r\n\r\n")
            self.assertIn(b" 413 ", large.recv(200))
        self.assert_still_well()

    def test_silent_clients_of_the_rpc_are_bounded_and_let_go(self):
        before = self.descriptors()
        clients = []
        for _ in range(300):
            clients.append(socket.create_connection(("127.0.0.1", self.node.port), timeout=10))
        opp2p.wait_for(lambda: self.descriptors() >= before + 120, 5, "they are connected")
        self.assertLessEqual(self.descriptors(), before + 128)
        for client in clients:
            client.close()
        opp2p.wait_for(lambda: self.descriptors() <= before, 10, "descriptors come back")
        self.assert_still_well()

    def test_a_second_node_on_the_same_data_is_refused_and_harms_nothing(self):
        second = opp2p.run("node", *self.options, "--data-dir", self.node.folder, "--p2p.priv.path", self.node.folder / "key.txt",
                           "--p2p.listen.ip", "127.0.0.1", "--p2p.listen.tcp", "0", "--rpc.addr", "127.0.0.1", "--rpc.port", "0",
                           timeout=20)
        self.assertEqual(second.returncode, 1)
        self.assertIn("in use by another process", second.stderr)
        self.assertEqual(json.loads((self.node.folder / "node.json").read_text())["rpcPort"], self.node.port)
        self.assert_still_well()

    def test_it_ends_in_order_while_connections_hang(self):
        node = opp2p.Node(self.node.folder.parent / "ending", *self.options)
        self.addCleanup(node.kill)
        node.ready()
        node.rpc("optimism_version")
        port = int(node.address.split("/")[4])
        for index in range(40):
            hanging = socket.create_connection(("127.0.0.1", port if index % 2 else node.port), timeout=10)
            self.addCleanup(hanging.close)
        self.assertEqual(node.stop(seconds=5), 0)
