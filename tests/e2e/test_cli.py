"""The subcommands that explain bytes and measure peers, from outside, against our own vectors."""

import contextlib
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

from lib import opp2p

VECTORS = opp2p.ROOT / "tests" / "vectors" / "data"
ADDRESS = re.compile(r"^/ip4/127\.0\.0\.1/tcp/[1-9]\d*/p2p/\w+$")
GOSSIP_KEYS = ["verdict", "reason", "reason_id", "message_id", "signature_address", "block_hash", "block_number", "timestamp", "transactions"]


def vectors(name):
    return json.loads((VECTORS / (name + ".json")).read_text())


def unhex(text):
    return bytes.fromhex(text.removeprefix("0x"))


class CliCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    # unittest of Python 3.10 and before has no enterContext.
    def enterContext(self, manager):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(manager)

    def file(self, content, name="input"):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def lines(self, *arguments, stdin=None):
        """The JSON lines of a command that succeeds and says nothing on stderr."""
        done = opp2p.run(*arguments, input=stdin)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return opp2p.json_lines(done.stdout)

    def complaint(self, *arguments):
        """The one line on stderr of a command that fails and prints nothing."""
        done = opp2p.run(*arguments)
        self.assertEqual((done.returncode, done.stdout), (1, ""), arguments)
        self.assertRegex(done.stderr, r"\Aopp2p: .+\n\Z")
        return done.stderr


class Program(CliCase):
    def test_version(self):
        done = opp2p.run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^opp2p \d+\.\d+\.\d+(-[0-9a-f]{8,}(-dirty)?)?\n$")

    def test_help_names_every_command(self):
        done = opp2p.run("--help")
        self.assertEqual(done.returncode, 0)
        for command in ("node", "devnet", "inspect", "key", "peerstore", "ping", "perf"):
            self.assertRegex(done.stdout, rf"(?m)^\s+{command}\b")
            self.assertEqual(opp2p.run(command, "--help").returncode, 0, command)

    def test_what_was_misspelt_is_named_with_what_was_probably_meant(self):
        for words, said in (("nod --x", "unknown command nod. Did you mean node?"),
                            ("xyzzy", "unknown command xyzzy; see opp2p --help"),
                            ("key genrate", "unknown command genrate. Did you mean generate?"),
                            ("--vresion", "unknown option --vresion. Did you mean --version?"),
                            ("devnet --blocktime 3", "unknown option --blocktime. Did you mean --block-time?"),
                            ("ping --cuont=3", "unknown option --cuont. Did you mean --count?"),
                            ("devnet extra", "unexpected argument extra; see opp2p devnet --help"),
                            ("genrate --help", "unknown command genrate; see opp2p --help"),
                            ("key genrate --help", "unknown command genrate. Did you mean generate?"),
                            ("version --help", "unknown command version; see opp2p --help")):
            with self.subTest(words=words):
                self.assertEqual(self.complaint(*words.split()), f"opp2p: {said}\n")

    def test_what_is_missing_is_told_with_the_help_that_lists_it(self):
        for words, said in (("inspect gossip zz", "--chain-id is required; see opp2p inspect gossip --help"),
                            ("ping", "address is required; see opp2p ping --help"),
                            ("inspect", "A subcommand is required; see opp2p inspect --help"),
                            ("", "A subcommand is required; see opp2p --help")):
            with self.subTest(words=words):
                self.assertEqual(self.complaint(*words.split()), f"opp2p: {said}\n")

    def test_a_text_that_is_no_peer_id_is_told_with_what_one_looks_like(self):
        self.assertIn("x: no peer id, which looks like 16Uiu2HAm", self.complaint("inspect", "peer-id", "x"))

    def test_unknown_options_and_commands_are_errors(self):
        for arguments in ((), ("dance",), ("--dance",), ("inspect",), ("inspect", "dance"), ("key",), ("perf",),
                          ("inspect", "payload", "--version", "5", "x"), ("inspect", "payload", "x"), ("node", "--p2p.dance"),
                          ("devnet", "--fork", "dance"), ("devnet", "--block-time", "0"), ("ping",), ("perf", "serve"),
                          ("perf", "dial", "/ip4/127.0.0.1/tcp/1"),
                          ("perf", "dial", "/ip4/127.0.0.1/tcp/1", "--upload-bytes", "-1", "--download-bytes", "0"), ("key", "generate", "--type", "rsa"),
                          ("inspect", "gossip", "--chain-id", "10", "--topic", "/optimism/10/0/blocks", "x")):
            done = opp2p.run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (1, ""), arguments)
            self.assertNotEqual(done.stderr, "", arguments)


class InspectGossip(CliCase):
    @staticmethod
    def options(case):
        options = ["--chain-id", case["chain_id"], "--topic", case["topic"], "--signer", case["sequencer"], "--now", case["now"],
                   "--payload-max-age", case["threshold_seconds"]]
        if "previous_sequencer" in case:
            options += ["--previous-signer", case["previous_sequencer"]]
        if case.get("jovian_active"):
            options += ["--jovian-time", 0]
        return options

    def check(self, case, line):
        self.assertEqual(list(line), GOSSIP_KEYS)
        self.assertEqual(line["verdict"], case["expect"], case["name"])
        self.assertEqual(line["message_id"], case["message_id"])
        self.assertEqual(line["reason"] is None, case["expect"] == "accept")
        if line["signature_address"] is not None:
            self.assertEqual(line["signature_address"], case["recovered_address"])
        if case["expect"] == "accept":
            for key in ("signature_address", "block_hash", "block_number", "timestamp", "transactions"):
                self.assertIsNotNone(line[key], key)
            self.assertLessEqual(abs(line["timestamp"] - case["now"]), case["threshold_seconds"])

    def test_every_message_of_the_vectors(self):
        for version in (1, 2, 3, 4):
            for case in vectors(f"opstack/gossip/single-v{version}")["cases"]:
                with self.subTest(case["name"]):
                    path = self.file(unhex(case["message"]))
                    (line,) = self.lines("inspect", "gossip", *self.options(case), path)
                    self.check(case, line)

    def test_files_in_order_share_what_was_seen(self):
        for case in vectors("opstack/gossip/sequences")["cases"]:
            with self.subTest(case["name"]):
                paths = [self.file(unhex(step["message"]), f"step-{i}") for i, step in enumerate(case["steps"])]
                lines = self.lines("inspect", "gossip", *self.options(case), *paths)
                self.assertEqual([line["verdict"] for line in lines], [step["expect"] for step in case["steps"]])

    def test_hex_text_and_standard_input(self):
        case = vectors("opstack/gossip/single-v4")["cases"][0]
        text = case["message"]
        for content in (text, text.removeprefix("0x"), text.upper().replace("0X", "0x"), f"\n {text[:40]}\n{text[40:]}\r\n"):
            path = self.file(content)
            self.check(case, self.lines("inspect", "gossip", "--hex", *self.options(case), path)[0])
        self.check(case, self.lines("inspect", "gossip", "--hex", *self.options(case), "-", stdin=text)[0])
        self.assertIn("hexadecimal", self.complaint("inspect", "gossip", "--hex", *self.options(case), self.file("0xabc")))

    def test_empty_and_malformed_messages_are_verdicts(self):
        case = vectors("opstack/gossip/single-v1")["cases"][0]
        for content in (b"", b"\0", b"garbage", b"\xff" * 200):
            (line,) = self.lines("inspect", "gossip", *self.options(case), self.file(content))
            self.assertEqual(line["verdict"], "reject")
            self.assertRegex(line["message_id"], r"^0x[0-9a-f]{40}$")
            self.assertIsNotNone(line["reason"])
            for key in GOSSIP_KEYS[4:]:
                self.assertIsNone(line[key], key)

    def test_an_unreadable_file_is_an_error_and_the_others_are_judged(self):
        case = vectors("opstack/gossip/single-v1")["cases"][0]
        path = self.file(unhex(case["message"]))
        done = opp2p.run("inspect", "gossip", *self.options(case), self.folder / "missing", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing", done.stderr)
        self.check(case, opp2p.json_lines(done.stdout)[0])

    def test_bad_options(self):
        path = self.file(b"")
        good = {"--chain-id": "10", "--topic": "/optimism/10/0/blocks", "--signer": "0x" + "11" * 20}
        for option, value in (("--chain-id", "ten"), ("--topic", "/optimism/10/9/blocks"), ("--topic", "/optimism/11/0/blocks"),
                              ("--signer", "0x11"), ("--previous-signer", "x"), ("--now", "yesterday"), ("--jovian-time", "-1")):
            flat = [part for pair in {**good, option: value}.items() for part in pair]
            done = opp2p.run("inspect", "gossip", *flat, path)
            self.assertEqual((done.returncode, done.stdout), (1, ""), (option, value))
            self.assertNotEqual(done.stderr, "")

    def test_message_ids(self):
        for case in vectors("opstack/gossip/message-id")["cases"]:
            (line,) = self.lines("inspect", "message-id", "--topic", case["topic"], self.file(unhex(case["data"])))
            self.assertEqual(line["message_id"], case["message_id"], case["name"])


class InspectData(CliCase):
    def test_payloads(self):
        for case in vectors("opstack/ssz/structure")["cases"]:
            with self.subTest(case["name"]):
                path = self.file(unhex(case["ssz"]))
                arguments = ("inspect", "payload", "--version", case["version"], path)
                if case["expect"] == "ok":
                    (line,) = self.lines(*arguments)
                    computed = line.pop("computed_block_hash")
                    self.assertEqual(line, case["decoded"])
                    self.assertEqual(computed == line["executionPayload"]["blockHash"], case["block_hash_matches"])
                else:
                    self.assertRegex(self.complaint(*arguments), r"byte \d+")

    def test_payloads_as_hex(self):
        case = vectors("opstack/ssz/payloads")["cases"][0]
        (line,) = self.lines("inspect", "payload", "--hex", "--version", case["version"], self.file(case["ssz"]))
        self.assertEqual(line["computed_block_hash"], case["block_hash_from_fields"])

    def test_responses(self):
        for case in vectors("opstack/reqresp/payload_by_number")["cases"]:
            stream = unhex(case["response"])
            (line,) = self.lines("inspect", "response", self.file(stream))
            self.assertEqual((line["code"], line["result"]), (0, "success"))
            self.assertEqual(line["version"], case["response_version"])
            self.assertEqual(line["payload_version"], case["payload_version"], case["name"])
            self.assertEqual(line["computed_block_hash"], case["block_hash"])
            self.assertEqual(self.lines("inspect", "response", "--version", case["payload_version"], self.file(stream)), [line])
            self.assertRegex(self.complaint("inspect", "response", self.file(stream[:-1])), r"byte \d+")
            for error in case["error_exchanges"]:
                (line,) = self.lines("inspect", "response", "--hex", self.file(error["response"]))
                self.assertEqual(line["code"], int(error["response"], 16))
                self.assertNotIn("version", line)
        self.complaint("inspect", "response", self.file(b""))

    def test_peer_ids(self):
        for case in vectors("libp2p/peer-ids")["peer_id_text"]:
            if "\0" in case["text"]:
                continue  # no argument of a program can hold it
            with self.subTest(case["name"]):
                if case["valid"]:
                    (line,) = self.lines("inspect", "peer-id", "--", case["text"])
                    self.assertEqual((line["peer_id"], line["multihash"]), (case["base58"], case["multihash"]))
                    self.assertEqual(line["public_key"] is not None, case["public_key_inlined"])
                elif case["text"]:
                    self.complaint("inspect", "peer-id", "--", case["text"])

    def test_multiaddrs(self):
        data = vectors("libp2p/multiaddr")
        for case in data["text"]:
            with self.subTest(case["text"]):
                if case["valid"]:
                    (line,) = self.lines("inspect", "multiaddr", "--", case["text"])
                    self.assertEqual((line["multiaddr"], line["bytes"]), (case["canonical_text"], case["bytes"]))
                    self.assertEqual([part["code"] for part in line["components"]], [part["code"] for part in case["components"]])
                elif case["text"] and "\0" not in case["text"] and not case["text"].startswith("0x"):
                    self.complaint("inspect", "multiaddr", "--", case["text"])
        for case in data["binary"]:
            with self.subTest(case["bytes"]):
                if case["valid"]:
                    self.assertEqual(self.lines("inspect", "multiaddr", case["bytes"])[0]["multiaddr"], case["text"])
                else:
                    self.complaint("inspect", "multiaddr", case["bytes"])

    def test_keys(self):
        data = vectors("libp2p/peer-ids")
        for case in data["public_key_decoding"]:
            with self.subTest(case["name"]):
                if not case["valid"]:
                    self.complaint("inspect", "key", case["bytes"])
                    continue
                (line,) = self.lines("inspect", "key", case["bytes"])
                self.assertEqual((line["key_type"].lower(), line["peer_id"]), (case["type"].lower(), case["peer_id_base58"]))
        for case in data["cases"]:
            (line,) = self.lines("inspect", "key", "--form", "private", case["private_key_protobuf"])
            self.assertEqual((line["peer_id"], line["public_key_protobuf"]), (case["peer_id_base58"], case["public_key_protobuf"]))
            # Of a private key nothing is told but what its public half says.
            self.assertEqual([line], self.lines("inspect", "key", case["public_key_protobuf"]))


class Keys(CliCase):
    def test_a_generated_key_has_the_peer_id_that_is_told(self):
        for kind, begins in (("secp256k1", "16Uiu2"), ("ed25519", "12D3Koo")):
            path = self.folder / kind
            made = opp2p.run("key", "generate", "--type", kind, "--out", path)
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertTrue(made.stdout.startswith(begins))
            self.assertRegex(path.read_text(), r"^[0-9a-f]{64}$")
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            told = opp2p.run("key", "peer-id", "--type", kind, path)
            self.assertEqual((told.returncode, told.stdout), (0, made.stdout))
            before = path.read_text()
            self.assertIn("exists", self.complaint("key", "generate", "--out", path))
            self.assertEqual(path.read_text(), before)

    def test_without_a_file_the_key_is_printed_and_read_from_standard_input(self):
        made = opp2p.run("key", "generate")
        self.assertRegex(made.stdout, r"^[0-9a-f]{64}\n$")
        self.assertNotEqual(made.stdout, opp2p.run("key", "generate").stdout)
        ids = {opp2p.run("key", "peer-id", input=text).stdout for text in (made.stdout, "0x" + made.stdout, " " + made.stdout)}
        self.assertEqual(len(ids), 1)
        self.assertTrue(ids.pop().startswith("16Uiu2"))

    def test_what_is_no_key_is_said(self):
        for content in ("", "0x11", "zz" * 32, "00" * 32, "11" * 33):
            self.complaint("key", "peer-id", self.file(content))
        self.complaint("key", "peer-id", self.folder / "missing")


class Measuring(CliCase):
    def serve(self):
        server = subprocess.Popen([str(opp2p.PROGRAM), "perf", "serve", "--listen", "/ip4/127.0.0.1/tcp/0"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait, 10)
        self.addCleanup(server.kill)
        address = server.stdout.readline().strip()
        self.assertRegex(address, ADDRESS)
        return server, address

    def test_perf_moves_all_bytes_and_the_server_ends_on_SIGTERM(self):
        server, address = self.serve()
        for upload, download, streams in ((3_000_000, 5_000_001, 1), (0, 0, 1), (1_000_003, 0, 7), (0, 100, 3)):
            done = opp2p.run("perf", "dial", address, "--upload-bytes", upload, "--download-bytes", download, "--streams", streams)
            self.assertEqual(done.returncode, 0, done.stderr)
            (line,) = opp2p.json_lines(done.stdout)
            self.assertEqual((line["upload_bytes"], line["download_bytes"]), (upload, download))
            self.assertTrue(line["ok"])
            self.assertGreater(line["seconds"], 0)
            self.assertGreaterEqual(line["cpu_seconds"], 0)
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(10), 0)

    def test_perf_dial_fails_without_a_server(self):
        server, address = self.serve()
        server.kill()
        server.wait(10)
        done = opp2p.run("perf", "dial", address, "--upload-bytes", 1, "--download-bytes", 1)
        self.assertEqual(done.returncode, 1)
        self.assertFalse(opp2p.json_lines(done.stdout)[0]["ok"])
        self.assertIn("connect", done.stderr)

    def test_perf_serve_refuses_an_address_in_use_and_one_that_is_none(self):
        _, address = self.serve()
        self.assertIn("in use", self.complaint("perf", "serve", "--listen", address.split("/p2p/")[0]))
        self.complaint("perf", "serve", "--listen", "nowhere")

    def test_ping(self):
        _, address = self.serve()
        done = opp2p.run("ping", "--json", "--count", 3, "--interval", 0, address)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = opp2p.json_lines(done.stdout)
        self.assertEqual([line["seq"] for line in lines[:-1]], [1, 2, 3])
        numbers = re.findall(r'_ms":([^,}]+)', done.stdout)
        self.assertEqual(len(numbers), 3 + 4)
        self.assertEqual([text for text in numbers if not re.fullmatch(r"\d+(\.\d+)?", text)], [], "numbers are plain, as the RPC's are")
        self.assertTrue(lines[-1]["ok"])
        self.assertEqual(lines[-1]["peer"], address.rsplit("/", 1)[1])
        plain = opp2p.run("ping", "-c", 1, address)
        self.assertEqual(plain.returncode, 0)
        self.assertIn(address.rsplit("/", 1)[1], plain.stdout)

    def test_ping_says_why_it_fails(self):
        server, address = self.serve()
        other = address.rsplit("/", 1)[0] + "/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X"
        for bad in (other, "no address", "/ip4/127.0.0.1/udp/1"):
            done = opp2p.run("ping", bad)
            self.assertEqual(done.returncode, 1, bad)
            self.assertNotEqual(done.stderr, "")
        server.kill()
        server.wait(10)
        self.assertEqual(opp2p.run("ping", address).returncode, 1)


if __name__ == "__main__":
    unittest.main()
