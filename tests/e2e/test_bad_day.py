"""`opp2p node` on a bad day: peers that say nothing or nonsense, clients that do, a second node on the same data, a full disk, no more
descriptors, peers of another chain. It stays up and says what is wrong, its descriptors and memory come back, and it still ends in order."""

import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from lib import made_chain, opp2p

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
        return opp2p.open_files(self.node.process.pid)

    def resident_mib(self):
        return opp2p.memory_mib(self.node.process.pid)

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
        before, memory = self.descriptors(), self.resident_mib()
        for index in range(1000):
            with socket.create_connection(("127.0.0.1", self.p2p_port), timeout=10) as connection:
                if index % 2:
                    connection.sendall(HEADER)
        opp2p.wait_for(lambda: self.descriptors() <= before, 15, "descriptors come back")
        self.assertLess(self.resident_mib(), memory + 32)
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

    def settled_descriptors(self):
        """When those of an earlier test's connections have gone: ten looks see the same number."""
        seen = []

        def settled():
            seen.append(self.descriptors())
            return len(seen) >= 10 and len(set(seen[-10:])) == 1
        opp2p.wait_for(settled, 10, "the number of descriptors settles")
        return seen[-1]

    def test_silent_clients_of_the_rpc_are_bounded_and_let_go(self):
        before = self.settled_descriptors()
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

    def test_without_descriptors_it_waits_and_goes_on(self):
        """A listener that has no descriptor for who waits at it is readable all the time."""
        node = opp2p.Node(self.node.folder.parent / "few", *self.options)
        self.addCleanup(node.kill)
        node.ready()
        open_now = opp2p.open_files(node.process.pid)
        resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (open_now + 10, 4096))
        waiting = [socket.create_connection(("127.0.0.1", port), timeout=10)
                   for port in (node.port, int(node.address.split("/")[4])) for _ in range(20)]
        opp2p.wait_for(lambda: opp2p.open_files(node.process.pid) == open_now + 10, 5, "all are taken")
        before = cpu_seconds(node.process.pid)
        time.sleep(1)
        self.assertLess(cpu_seconds(node.process.pid) - before, 0.3)
        for connection in waiting:
            connection.close()
        self.assertTrue(node.rpc("optimism_version"))
        self.assertEqual(node.stop(), 0)


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class BadWorld(unittest.TestCase):
    """Nodes of a chain that began long ago, each alone with what is wrong around it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        _, _, self.envelopes = made_chain.make(self.folder, 120, 2000)
        self.config = json.loads((self.folder / "rollup.json").read_text())

    def node(self, name, *options, **changes):
        rollup = self.folder / (name + ".json")
        rollup.write_text(json.dumps({**self.config, **changes}))
        node = opp2p.Node(self.folder / name, "--rollup.config", rollup, "--rpc.enable-admin", *options)
        self.addCleanup(node.kill)
        return node.ready()

    def lines(self, node, text):
        return [line for line in node.log().splitlines() if text in line]

    def fill(self, node):
        """Posts blocks until the disk refuses one; answers its index and what was said."""
        for index, envelope in enumerate(self.envelopes):
            try:
                node.rpc("admin_postUnsafePayload", json.loads(envelope))
            except opp2p.RpcError as error:
                return index, str(error)
        self.fail("the disk took all")

    def check_full(self, node, says, make_room):
        index, error = self.fill(node)
        self.assertGreater(index, 0)
        for text in says:
            self.assertIn(text, error)
        refusals = opp2p.wait_for(lambda: self.lines(node, "the store cannot keep a block"), 5, "it is said")
        self.assertIn(f"number={index + 1} ", refusals[0])
        self.assertIn("lvl=error", refusals[0])
        self.assertEqual(node.head(), index)
        make_room()
        node.rpc("admin_postUnsafePayload", json.loads(self.envelopes[index]))
        self.assertEqual(node.head(), index + 1)
        self.assertEqual(len(self.lines(node, "the store keeps blocks again")), 1)
        node.kill()
        node.start().ready()
        self.assertEqual(node.head(), index + 1)

    def limit_files(self, node, size):
        hard = resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (size, hard))

    def test_a_file_that_may_not_grow_is_like_a_full_disk(self):
        node = self.node("limited")
        self.limit_files(node, 100_000)
        self.check_full(node, ["block store in", str(node.folder)], lambda: self.limit_files(node, resource.RLIM_INFINITY))

    def test_a_full_disk_is_said_and_takes_blocks_again_when_there_is_room(self):
        if os.geteuid() != 0:
            self.skipTest("only root may make a small disk")
        disk = self.folder / "full" / "blocks"
        disk.mkdir(parents=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", disk], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no file system may be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        self.check_full(self.node("full"), ["No space left on device", f"make room on the disk of {disk}"],
                        lambda: subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True))

    def test_a_disk_that_stays_full_is_said_again_though_not_each_time(self):
        node = self.node("limited")
        self.limit_files(node, 100_000)
        index, _ = self.fill(node)
        tried = 1

        def said_twice():
            nonlocal tried
            tried += 1
            with self.assertRaises(opp2p.RpcError):
                node.rpc("admin_postUnsafePayload", json.loads(self.envelopes[index]))
            return len(self.lines(node, "the store cannot keep a block")) == 2

        opp2p.wait_for(said_twice, 20, "it is said a second time")
        self.assertGreater(tried, 10)
        counted = int(re.search(r"since_start=(\d+)", self.lines(node, "the store cannot keep a block")[1]).group(1))
        self.assertGreater(counted, 10)
        self.assertLessEqual(counted, tried, "the log may be written a moment later")

    def test_a_log_that_nobody_reads_holds_up_nothing(self):
        folder = self.folder / "unread"
        folder.mkdir()
        os.mkfifo(folder / "log.txt")
        reader = os.open(folder / "log.txt", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        node = self.node("unread", "--log.level", "debug")
        port = int(node.address.split("/")[4])
        count = 800

        def come_and_go():
            """More lines than a pipe holds."""
            for _ in range(count):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            self.assertEqual(node.head(), 0)

        def read():
            with contextlib.suppress(BlockingIOError):
                while part := os.read(reader, 1 << 16):
                    said.append(part)
            return len(re.findall(rb'msg="(?:inbound handshake failed|connection refused)"', b"".join(said))) >= count
        said = []
        come_and_go()
        opp2p.wait_for(read, 5, "every line comes when it is read")
        come_and_go()
        self.assertEqual(node.stop(), 0)

    def test_a_static_peer_with_another_id_is_named_and_not_connected(self):
        one, other = self.node("one"), self.node("other")
        address = one.address.rsplit("/", 1)[0] + "/" + other.peer_id
        asking = self.node("asking", "--p2p.static", address)
        line = opp2p.wait_for(lambda: self.lines(asking, "error dialing static peer"), 10, "it is said")[0]
        self.assertIn(f"the peer is {one.peer_id}, expected was {other.peer_id}", line)
        self.assertEqual(asking.status()["peers"], 0)

    def test_a_static_peer_of_another_chain_is_told(self):
        ours, other = self.node("ours"), self.node("other", l2_chain_id=self.config["l2_chain_id"] + 1)
        asking = self.node("asking", "--p2p.static", other.address + "," + ours.address)
        (line,) = opp2p.wait_for(lambda: self.lines(asking, "serves another chain"), 10, "it is said")
        for text in ("lvl=warn", other.peer_id, f"its_chain={self.config['l2_chain_id'] + 1}", f"our_chain={self.config['l2_chain_id']}"):
            self.assertIn(text, line)
        opp2p.wait_for(lambda: asking.rpc("opp2p_peerStats")["blocksTopic"] == 1, 10, "the right one gossips")
        self.assertEqual(len(self.lines(asking, "serves another chain")), 1)
        self.assertEqual(self.lines(other, "serves another chain"), [], "it did not choose that peer")


if __name__ == "__main__":
    unittest.main()
