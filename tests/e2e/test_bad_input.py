"""What is given wrongly to the program: options, files, ports, data that lie about their size. Each is an error in one line that says
what, where and what to do; the exit code is 1, and nothing has started, grown large or been left behind."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import struct
import subprocess
import tempfile
import unittest

from lib import made_chain, opp2p

NOBODY = 65534
MOST_MEMORY = 100 << 20  # bytes of data, stacks included; who wants more ends by a signal
PEER = "16Uiu2HAmPzBg7yxVtNJDudd8vu66zP8z8gLYcbQ4aLrZATBov5dG"
GOOD = {}  # a rollup configuration


def setUpModule():
    with tempfile.TemporaryDirectory() as folder:
        made_chain.make(pathlib.Path(folder), 0, 0)
        GOOD.update(json.loads((pathlib.Path(folder) / "rollup.json").read_text()))


def without(*path):
    config = json.loads(json.dumps(GOOD))
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return json.dumps(config)


def changed(**values):
    return json.dumps({**GOOD, **values})


def ended(*arguments, limits=(), **options):
    """The program's end under limits, pairs of which and how much; output and memory have one always."""
    def bind():
        for which, most in ((resource.RLIMIT_DATA, MOST_MEMORY), *limits):
            resource.setrlimit(which, (most, most))

    return opp2p.run(*arguments, timeout=20, preexec_fn=bind, **options)


class BadInput(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.rollup = self.file("rollup.json", json.dumps(GOOD))

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def repeated(self, begin, part, times):
        path = self.file("repeated", begin)
        with open(path, "ab") as file:
            for _ in range(times):
                file.write(part)
        return path

    def node(self, *options, **more):
        """A node with what it needs to start, and `options` to keep it from that."""
        return ended("node", "--rollup.config", self.rollup, "--data-dir", self.folder / "data", "--p2p.priv.path",
                     self.folder / "key.txt", "--p2p.listen.ip", "127.0.0.1", "--p2p.listen.tcp", "0", "--rpc.addr", "127.0.0.1",
                     "--rpc.port", "0", *options, **more)

    def check(self, done, *says):
        self.assertEqual(done.returncode, 1, done.stderr[-2000:])
        self.assertEqual(done.stdout, "")
        line = done.stderr.splitlines()[-1]
        self.assertRegex(line, r"^opp2p: ")
        for text in says:
            self.assertIn(text, line)
        self.assertNotIn("terminate called", done.stderr)
        self.assertFalse((self.folder / "data" / "node.json").exists())


class Options(BadInput):
    REFUSED = {
        "a port that is too high": (["--p2p.listen.tcp", "70000"], ["--p2p.listen.tcp", "port out of range: 70000"]),
        "a port of the system": (["--p2p.listen.tcp", "443"], ["port is reserved for system: 443"]),
        "a port that is a word": (["--p2p.listen.tcp", "http"], ['invalid value "http" for flag -p2p.listen.tcp: parse error', "whole number"]),
        "a port below zero": (["--rpc.port", "-1"], ["--rpc.port: port out of range: -1"]),
        "a P2P port below zero": (["--p2p.listen.tcp", "-1"], ['invalid value "-1" for flag -p2p.listen.tcp: parse error']),
        "a port beyond 32 bits": (["--rpc.port", "80000000000"], ["--rpc.port: port out of range: 80000000000"]),
        "a port beyond 64 bits": (["--rpc.port", "99999999999999999999"], ["-rpc.port: value out of range"]),
        "an RPC port that is too high": (["--rpc.port", "65536"], ["--rpc.port: port out of range: 65536"]),
        "a name to listen at": (["--p2p.listen.ip", "localhost"], ["--p2p.listen.ip", "'localhost' is not an IP address"]),
        "an address of nobody": (["--p2p.listen.ip", "999.1.1.1"], ["--p2p.listen.ip", "999.1.1.1"]),
        "somebody else's address": (["--p2p.listen.ip", "203.0.113.1"], ["--p2p.listen.ip", "does not have that address"]),
        "an RPC address that is a name": (["--rpc.addr", "here"], ["--rpc.addr: 'here' is not an IP address", "127.0.0.1"]),
        "somebody else's RPC address": (["--rpc.addr", "203.0.113.1"], ["203.0.113.1", "choose another --rpc.addr"]),
        "a static peer that is no address": (["--p2p.static", "here"], ["--p2p.static: 'here' is not a multiaddr", "write for example"]),
        "a static peer without an id": (["--p2p.static", "/ip4/192.0.2.1/tcp/9"], ["--p2p.static", "must end with /p2p/ID"]),
        "a static peer with half an id": (["--p2p.static", "/ip4/192.0.2.1/tcp/9/p2p/16Uiu2HAm"], ["--p2p.static", "/p2p"]),
        "a static peer with an id of letters only": (["--p2p.static", "/ip4/192.0.2.1/tcp/9/p2p/0OIl"], ["--p2p.static", "/p2p"]),
        "a static peer with a port too high": (["--p2p.static", f"/ip4/192.0.2.1/tcp/65536/p2p/{PEER}"], ["--p2p.static", "65536"]),
        "a static peer over UDP": (["--p2p.static", f"/ip4/192.0.2.1/udp/9/quic-v1/p2p/{PEER}"], ["--p2p.static", "only /tcp"]),
        "one wrong peer of two": (["--p2p.static", f"/ip4/192.0.2.1/tcp/9/p2p/{PEER},there"], ["'there' is not a multiaddr"]),
        "peer counts the wrong way round": (["--p2p.peers.lo", "50"], ["peers lo/hi tides are invalid: 50, 30", "lo at most hi"]),
        "no peers": (["--p2p.peers.lo", "0"], ["peers lo/hi tides are invalid"]),
        "a time without a unit": (["--p2p.peers.grace", "5"], ['invalid value "5" for flag -p2p.peers.grace: parse error', "write for example 500ms"]),
        "a time below zero": (["--p2p.gossip.timestamp.threshold", "-5s"], ["--p2p.gossip.timestamp.threshold is -5s, but may not be negative"]),
        "a trace in a folder that is not there": (["--p2p.gossip.trace.file", "/nonexistent/trace.pb"],
                                                 ["--p2p.gossip.trace.file", "/nonexistent/trace.pb", "No such file or directory"]),
        "no time to dial": (["--p2p.timeout.dial", "0s"], ["--p2p.timeout.dial is 0"]),
        "a core to burn": (["--p2p.spin", "1h"], ["--p2p.spin must be at most 10ms"]),
        "half a signer": (["--p2p.unsafe.block.signer", "0x12"], ["--p2p.unsafe.block.signer", "20 bytes"]),
        "a sequencer key that is none": (["--p2p.sequencer.key", "zz"], ["--p2p.sequencer.key", "hex"]),
        "a raw key of zeros": (["--p2p.priv.raw", "00" * 32], ["--p2p.priv.raw", "32 bytes below the order of secp256k1"]),
        "a switch that is neither": (["--p2p.ping=maybe"], ['invalid boolean value "maybe" for -p2p.ping: parse error; write true or false']),
        "limits that are neither": (["--p2p.sync.server.limits", "fast"], ["--p2p.sync.server.limits", "'default' or 'off'"]),
        "a multiplexer that is none": (["--p2p.mux", "yamux,quic"], ['--p2p.mux: "quic" is not a multiplexer', "yamux, mplex"]),
        "no multiplexer": (["--p2p.mux", ""], ['--p2p.mux: "" is not a multiplexer']),
        "no memory": (["--sync.memory", "0"], ["--sync.memory must be at least 1MiB"]),
        "more memory than numbers": (["--sync.memory", "99999999999GiB"], ["--sync.memory", "is not a size"]),
        "a store of nothing": (["--store.max-size", "5"], ["--store.max-size must be at least 16MiB"]),
        "a data folder without a name": (["--data-dir", ""], ["--data-dir is empty"]),
        "a log level that is none": (["--log.level", "loud"], ["-log.level: unknown level: loud", "use trace, debug"]),
        "a log component that is none": (["--log.level", "mesh=debug"], ["--log.level", "'mesh'", "gossip"]),
        "a log format that is none": (["--log.format", "xml"], ['unrecognized log-format: "xml"', "text or json"]),
        "an option that is none": (["--dance"], ["unknown option --dance. opp2p node --help lists the options."]),
        "an option that is misspelt": (["--p2p.statik=x"], ["unknown option --p2p.statik. Did you mean --p2p.static?"]),
        "an option without its value": (["--rpc.port"], ["flag needs an argument: -rpc.port"]),
        "an option with nothing for a number": (["--rpc.port="], ['invalid value "" for flag -rpc.port: parse error']),
        "a switch with nothing": (["--rpc.enable-admin="], ['invalid boolean value "" for -rpc.enable-admin']),
        "a switch with a word of its own": (["--rpc.enable-admin=yes"], ['invalid boolean value "yes" for -rpc.enable-admin']),
        "a switch with its value apart": (["--rpc.enable-admin", "false"], ["after an equals sign: --rpc.enable-admin=false"]),
        "three dashes": (["---rpc.port=1"], ["bad flag syntax: ---rpc.port=1"]),
        "a word too many": (["again"], ['"again" is not an option', "opp2p node --help"]),
        "a right option beside a wrong one": (["--p2p.peers.lo", "5", "--rpc.port", "x"], ["-rpc.port"]),
        "a wrong value that a right one follows": (["--rpc.port", "x", "--rpc.port", "0"], ["-rpc.port"]),
        "a ban threshold that bans newcomers": (["--p2p.ban.threshold", "1"], ["--p2p.ban.threshold must be 0 or less"]),
        "a ban that ends at once": (["--p2p.ban.duration", "0s"], ["--p2p.ban.duration is 0s", "--p2p.ban.peers=false"]),
        "a gate that lets in no newcomer": (["--p2p.gater.min-score", "0.5"], ["--p2p.gater.min-score must be 0 or less"]),
        "no time to accept": (["--p2p.timeout.accept", "0s"], ["--p2p.timeout.accept is 0"]),
        "no mesh": (["--p2p.gossip.mesh.d", "0"], ["--p2p.gossip.mesh.d", "must not be 0 or exceed 1000, but got 0"]),
        "an advertised address that is none": (["--p2p.advertise.ip", "http://x"], ["--p2p.advertise.ip", "neither an IP address nor a host name"]),
        "no peerstore": (["--p2p.peerstore.path="], ["--p2p.peerstore.path", "use 'memory'"]),
        "a sequencer": (["--sequencer.enabled"], ["--sequencer.enabled=true is not supported", "does not build blocks"]),
        "a conductor": (["--conductor.enabled"], ["--conductor.enabled=true is not supported"]),
        "a remote signer": (["--signer.endpoint", "http://127.0.0.1:1"], ["--signer.endpoint is not supported", "--p2p.sequencer.key"]),
        "no security beside some": (["--p2p.security", "noise,none"], ["--p2p.security names none together with others", "write noise"]),
        "no such security": (["--p2p.security", "secio"], ['--p2p.security names "secio"', "write noise"]),
    }

    def test_each_is_refused_with_its_name_and_a_way_out(self):
        for what, (options, says) in self.REFUSED.items():
            with self.subTest(what):
                self.check(self.node(*options), *says)

    def test_so_is_what_the_environment_says(self):
        for name, value, says in (("OP_NODE_P2P_LISTEN_TCP_PORT", "x", "p2p.listen.tcp"), ("OP_NODE_P2P_PING", "maybe", "p2p.ping"),
                                  ("OP_NODE_P2P_PRIV_RAW", "11", "--p2p.priv.raw"), ("OP_NODE_P2P_STATIC", "here", "--p2p.static"),
                                  ("OP_NODE_P2P_PEERS_GRACE", "-1s", "--p2p.peers.grace"), ("OP_NODE_LOG_LEVEL", "loud", "log.level"),
                                  ("OP_NODE_SEQUENCER_ENABLED", "true", "does not build blocks"), ("OP_NODE_P2P_LISTEN_IP", "", "not an IP address"),
                                  ("OP_NODE_L1_CACHE_SIZE", "many", "l1.cache-size")):
            with self.subTest(name):
                done = ended("node", "--rollup.config", self.rollup, "--data-dir", self.folder / "data", "--p2p.priv.path",
                             self.folder / "key.txt", "--rpc.addr", "127.0.0.1", "--rpc.port", "0", env={**os.environ, name: value})
                self.check(done, says, name)


class Files(BadInput):
    def test_key_files(self):
        cases = {
            "of too few bytes": (self.file("short", "1111"), ["short", "2 bytes", "opp2p key generate"]),
            "of too many": (self.file("long", "11" * 33), ["long", "33 bytes", "opp2p key generate"]),
            "of no bytes": (self.file("empty", ""), ["empty", "0 bytes", "opp2p key generate"]),
            "that is no number of the curve": (self.file("zeros", "00" * 32), ["zeros", "below the order of secp256k1"]),
            "that is no hexadecimal": (self.file("words", "my key"), ["words", "not formatted in hex", "opp2p key generate"]),
            "of noise": (self.file("noise", bytes(range(256)) * 40), ["noise", "not formatted in hex"]),
            "without end": ("/dev/zero", ["/dev/zero", "not formatted in hex"]),
            "that is a folder": (self.folder, [str(self.folder), "Is a directory", "name another place"]),
            "in a folder that is none": (self.folder / "no" / "key", ["cannot be created", "make the folder"]),
            "below a file": (self.rollup / "key", ["Not a directory", "name another place"]),
            "without a name": ("", ["give --p2p.priv.path or --p2p.priv.raw"]),
        }
        for what, (path, says) in cases.items():
            with self.subTest(what):
                self.check(self.node("--p2p.priv.path", path), *says)

    def test_files_of_others(self):
        """Root may read everything, so root asks as somebody else."""
        others = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if os.geteuid() == 0:
            try:
                subprocess.run([opp2p.PROGRAM, "--version"], stdout=subprocess.DEVNULL, check=True, **others)
            except (PermissionError, subprocess.CalledProcessError):
                self.skipTest("nobody but root may run the program where it lies")
        key = self.file("mine", "11" * 32)
        key.chmod(0)
        self.check(self.node("--p2p.priv.path", key, **others), "--p2p.priv.path", str(key), "Permission denied", "mend the permissions")
        self.folder.chmod(0o555)
        self.check(self.node(**others), "key.txt cannot be created: Permission denied", "mend the permissions")
        self.check(self.node("--p2p.priv.raw", "11" * 32, **others), "--data-dir", "Permission denied", "mend the permissions")
        self.folder.chmod(0o755)
        self.rollup.chmod(0)
        self.check(self.node(**others), "--rollup.config", "rollup.json", "Permission denied")

    def test_rollup_configurations(self):
        cases = {
            "nothing": ("", ["no JSON"]),
            "words": ("block_time: 2", ["no JSON", "at byte"]),
            "noise": (bytes(range(256)), ["no JSON"]),
            "half of one": (json.dumps(GOOD)[:-9], ["incomplete JSON"]),
            "more than one": (json.dumps(GOOD) * 2, ["extra data"]),
            "depth": ("[" * 100_000, ["too deep"]),
            "size": ("[" + "0," * 600_000 + "0]", ["larger than 1048576 bytes"]),
            "a list": ("[]", ["one JSON object"]),
            "null": ("null", ["one JSON object"]),
            "an empty object": ("{}", ["block_time is missing"]),
            "no genesis": (without("genesis"), ["genesis.l1.hash is missing"]),
            "no hash of the first block": (without("genesis", "l2"), ["genesis.l2.hash is missing"]),
            "no time of the first block": (without("genesis", "l2_time"), ["genesis.l2_time is missing"]),
            "no system configuration": (without("genesis", "system_config"), ["genesis.system_config.batcherAddr is missing"]),
            "no block time": (without("block_time"), ["block_time is missing", "set it to"]),
            "no chain id": (without("l2_chain_id"), ["l2_chain_id is missing", "set it to"]),
            "no fork in between": (without("ecotone_time"), ["fjord_time is", "ecotone_time is not set"]),
            "no batch inbox": (without("batch_inbox_address"), ["batch_inbox_address is missing"]),
            "a word for a number": (changed(block_time="two"), ["block_time is \"two\"", "whole number"]),
            "a number below zero": (changed(block_time=-1), ["block_time is -1", "whole number"]),
            "a part of a number": (changed(block_time=1.5), ["block_time", "whole number"]),
            "a number that is too large": (changed(l2_chain_id=1 << 70), ["l2_chain_id", "whole number"]),
            "a list for an object": (changed(genesis=[]), ["genesis is []", "must be an object"]),
            "a short address": (changed(batch_inbox_address="0x12"), ["batch_inbox_address is \"0x12\"", "20 bytes"]),
            "forks out of order": (changed(canyon_time=5), ["before canyon_time 5", "in order"]),
            "one id for two chains": (changed(l1_chain_id=GOOD["l2_chain_id"]), ["same as l1_chain_id"]),
        }
        for what, (text, says) in cases.items():
            with self.subTest(what):
                self.rollup = self.file("rollup.json", text)
                self.check(self.node(), "--rollup.config", str(self.rollup), *says)
        for path, says in ((self.folder, "is a directory; give the file in it"), (self.folder / "none", "check the name"),
                           ("/dev/zero", "is it a rollup configuration?")):
            with self.subTest(path):
                self.rollup = path
                self.check(self.node(), "--rollup.config", str(path), says)
        done = ended("node", "--data-dir", self.folder / "data", "--p2p.priv.path", self.folder / "key.txt")
        self.check(done, "--rollup.config is missing")

    def test_data_folders(self):
        self.check(self.node("--data-dir", self.rollup), "--data-dir", str(self.rollup), "Not a directory", "name another place")
        self.check(self.node("--data-dir", "/proc/opp2p"), "--data-dir", "/proc/opp2p")
        for name, content in (("data.mdb", b"no database" * 1000), ("data.mdb", bytes(16384))):
            blocks = self.folder / "data" / "blocks"
            shutil.rmtree(blocks, ignore_errors=True)
            blocks.mkdir(parents=True)
            (blocks / name).write_bytes(content)
            self.check(self.node(), str(blocks / name), "move it away")


class Ports(BadInput):
    def test_ports_in_use_are_named_and_what_had_them_goes_on(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.check(self.node("--p2p.listen.tcp", port), "--p2p.listen.tcp", f"127.0.0.1:{port}", "in use", "choose another port")
            self.check(self.node("--rpc.port", port), f"127.0.0.1:{port}", "in use", "choose another --rpc.port")
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                taken.accept()[0].close()


class Bombs(BadInput):
    """Data that say they are large, or are when unpacked."""

    @staticmethod
    def varint(number):
        out = b""
        while number > 0x7f:
            out += bytes([number & 0x7f | 0x80])
            number >>= 7
        return out + bytes([number])

    def test_gossip_that_unpacks_to_a_gigabyte_is_rejected_small(self):
        zeros = b"\x00\x00" + b"\xfe\x01\x00" * ((1 << 20) // 64)  # a byte, then copies of 64 bytes: a megabyte in 49 KB
        for what, claim, times in (("claims four gigabytes and brings nothing", (1 << 32) - 1, 0),
                                   ("claims one gigabyte and means it", 1 << 30, 1024),
                                   ("claims what is allowed and brings more", 1 << 20, 1024),
                                   ("claims ten megabytes and brings nothing", 10 << 20, 0)):
            with self.subTest(what):
                done = ended("inspect", "gossip", "--chain-id", "10", "--topic", "/optimism/10/3/blocks", "--signer", "0x" + "11" * 20,
                             self.repeated(self.varint(claim), zeros, times))
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                (line,) = opp2p.json_lines(done.stdout)
                self.assertEqual(line["verdict"], "reject")

    def test_an_answer_that_unpacks_to_a_gigabyte_is_refused_small(self):
        head = b"\0" + struct.pack("<I", 0) + b"\xff\x06\x00\x00sNaPpY"
        packed = self.varint(65536) + b"\x00\x00" + b"\xfe\x01\x00" * 1023 + b"\xfa\x01\x00"  # 65536 zeros
        chunk = b"\0" + struct.pack("<I", len(packed) + 4)[:3] + b"\0" * 4 + packed
        raw = b"\1" + struct.pack("<I", 65540)[:3] + b"\0" * 65540
        for what, part, times in (("small chunks of much", chunk, 16_384), ("chunks of raw zeros", raw, 400),
                                  ("padding", b"\xfe\x00\x00\x80" + b"\0" * (8 << 20), 3),
                                  ("a chunk of 16 MB", b"\0\xff\xff\xff", 1),
                                  ("a chunk that says 4 GB", b"\0\x0a\0\0" + b"\0" * 4 + self.varint((1 << 32) - 1) + b"\0", 1)):
            with self.subTest(what):
                self.check(ended("inspect", "response", self.repeated(head, part, times)), "at byte")


class Disks(BadInput):
    @contextlib.contextmanager
    def small_disk(self, size):
        if os.geteuid() != 0:
            self.skipTest("only root may make a small disk")
        where = self.folder / "disk"
        where.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", where], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no file system may be mounted here")
        try:
            yield where
        finally:
            subprocess.run(["umount", "-l", where], check=True)

    def test_a_disk_that_is_full_from_the_start(self):
        with self.small_disk("size=8k") as disk:
            (disk / "rest").write_bytes(bytes(4096))
            self.check(self.node("--data-dir", disk / "data"), str(disk), "No space left on device", "make room on the disk")
            with contextlib.suppress(OSError):
                (disk / "more").write_bytes(bytes(8192))
            self.check(self.node("--p2p.priv.path", disk / "key"), "--p2p.priv.path", "No space left", "make room on the disk")
            self.assertFalse((disk / "key").exists())

    def test_a_disk_that_cannot_be_written_to(self):
        with self.small_disk("ro") as disk:
            self.check(self.node("--data-dir", disk / "data"), "--data-dir", "Read-only file system", "can be written to")
            self.check(self.node("--p2p.priv.path", disk / "key"), "--p2p.priv.path", "Read-only file system")

    def test_files_that_may_not_grow(self):
        self.check(self.node(limits=[(resource.RLIMIT_FSIZE, 20)]), "--p2p.priv.path", "cannot be written")
        self.assertFalse((self.folder / "key.txt").exists())
        self.check(self.node(limits=[(resource.RLIMIT_FSIZE, 20_000)]), "block store in", "File too large", "ulimit -f")

    def test_too_few_descriptors(self):
        """Whichever part of the start is the first to have none left."""
        for most in range(5, 17):
            with self.subTest(most):
                self.check(self.node(limits=[(resource.RLIMIT_NOFILE, most)]), "oo many open files", "ulimit -n")


if __name__ == "__main__":
    unittest.main()
