"""The library from outside: the examples as programs, and a project of a user's that finds an installed copy or adds the checkout."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

from lib import opp2p

EXAMPLES = opp2p.ROOT / "build" / "examples"
CONSUMER = opp2p.ROOT / "tests" / "consumer"
ADDRESS = re.compile(r"^/ip4/127\.0\.0\.1/tcp/[1-9]\d*/p2p/\w+$")


class Started:
    """A program that runs until the test ends."""

    def __init__(self, test, *command):
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        test.addCleanup(self.process.stderr.close)
        test.addCleanup(self.process.stdout.close)
        test.addCleanup(self.process.wait, 10)
        test.addCleanup(self.process.kill)

    def line(self):
        return self.process.stdout.readline().strip()


class Examples(unittest.TestCase):
    def echo(self, *arguments):
        return subprocess.run([EXAMPLES / "echo", *arguments], capture_output=True, text=True, timeout=60)

    def test_echo_answers_what_it_is_sent(self):
        address = Started(self, EXAMPLES / "echo").line()
        self.assertRegex(address, ADDRESS)
        for text in ("hello", "", "x" * 100_000):
            done = self.echo(address, text)
            self.assertEqual((done.returncode, done.stdout), (0, text + "\n"), done.stderr)

    def test_echo_says_what_is_wrong(self):
        address = Started(self, EXAMPLES / "echo").line()
        wrong_peer = re.sub(r"p2p/.*", "p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X", address)
        for bad in ("/ip4/127.0.0.1/tcp/1", wrong_peer, "no address"):
            done = self.echo(bad, "hello")
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"^echo: .+\n$")

    def test_the_snippet_of_the_readme_is_the_examples(self):
        readme = (opp2p.ROOT / "README.md").read_text()
        snippet = re.search(r"runtime::Task<void> echo.*?\n}\n", readme, re.DOTALL).group(0)
        self.assertIn(snippet, (opp2p.ROOT / "examples" / "echo.cpp").read_text())

    def test_headers_show_no_code_that_nobody_compiles(self):
        """A comment names a program of examples/ instead: those are built and run."""
        code = re.compile(r"^\s*//\s{2,}(?!- )\S.*(;|\{|\}|;\s*//.*)$")
        shown, named = [], set()
        for path in (opp2p.ROOT / "src").rglob("*.hpp"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if code.match(line) and ("(" in line or "::" in line):
                    shown.append(f"{path.relative_to(opp2p.ROOT)}:{number}: {line.strip()}")
                named.update(re.findall(r"examples/\w+\.cpp", line))
        self.assertEqual(shown, [])
        self.assertIn("examples/echo.cpp", named)
        for example in named:
            self.assertTrue((EXAMPLES / pathlib.Path(example).stem).exists(), f"{example} is named and not built")

    def test_examples_are_short(self):
        for path in (opp2p.ROOT / "examples").glob("*.cpp"):
            self.assertLessEqual(len(path.read_text().splitlines()), 80, path.name)

    def test_op_listener_prints_the_blocks_of_a_chain(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "chain"
            chain = Started(self, opp2p.PROGRAM, "devnet", "--json", "--block-time", "1", "--nodes", "1", "--data-dir", folder)
            head = 0
            while head < 2:
                line = chain.line()
                self.assertTrue(line, "the devnet ended: " + (chain.process.stderr.read() if not line else ""))
                head = opp2p.json_lines(line)[0].get("head", 0)
            about = opp2p.json_lines((folder / "devnet.json").read_text().replace("\n", ""))[0]
            listener = Started(self, EXAMPLES / "op_listener", about["chainId"], about["signer"], about["addresses"][0])
            blocks = [re.match(r"block (\d+) 0x[0-9a-f]{64}, \d+ transactions", listener.line()) for _ in range(3)]
            self.assertTrue(all(blocks), blocks)
            numbers = [int(block.group(1)) for block in blocks]
            self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 3)))
            chain.process.send_signal(signal.SIGINT)
            chain.process.communicate(timeout=30)

    def test_op_listener_refuses_bad_arguments(self):
        for arguments in ((), ("x", "0x" + "11" * 20, "/ip4/127.0.0.1/tcp/1"), ("10", "0x11", "/ip4/127.0.0.1/tcp/1")):
            done = subprocess.run([EXAMPLES / "op_listener", *arguments], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^op_listener: .+\n$")


def run(*command, environment=None):
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900,
                          env={**os.environ, **(environment or {})})


class Consumer(unittest.TestCase):
    """tests/consumer, built in a folder of its own."""

    def build(self, scratch, *options):
        build = pathlib.Path(scratch) / "build"
        ccache = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if os.access("/usr/bin/ccache", os.X_OK) else []
        for command in (["cmake", "-S", CONSUMER, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", *ccache, *options],
                        ["cmake", "--build", build]):
            done = run(*command)
            self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        return build

    def install(self, scratch):
        prefix = pathlib.Path(scratch) / "prefix"
        done = run("cmake", "--install", opp2p.ROOT / "build", "--prefix", prefix)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        return prefix

    def test_an_installed_copy_is_found_and_linked(self):
        with tempfile.TemporaryDirectory() as scratch:
            prefix = self.install(scratch)
            self.assertTrue((prefix / "bin" / "opp2p").exists())
            leaked = [path for path in prefix.rglob("*.cmake") if str(opp2p.ROOT) in path.read_text()]
            self.assertEqual(leaked, [], "the installed package points into the checkout")
            build = self.build(scratch, f"-DCMAKE_PREFIX_PATH={prefix}")
            ran = subprocess.run([build / "listener"], capture_output=True, text=True, timeout=60)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            self.assertRegex(ran.stdout.strip(), ADDRESS)

    def test_the_checkout_can_be_a_subdirectory(self):
        with tempfile.TemporaryDirectory() as scratch:
            build = self.build(scratch, f"-DOPP2P_SOURCE={opp2p.ROOT}")
            ran = subprocess.run([build / "ids"], capture_output=True, text=True, timeout=60)
            self.assertRegex(ran.stdout, r"^12D3KooW\w+\n$")

    def test_a_missing_dependency_makes_an_installed_copy_not_found_and_is_named(self):
        with tempfile.TemporaryDirectory() as scratch:
            prefix = self.install(scratch)
            (pathlib.Path(scratch) / "CMakeLists.txt").write_text(
                "cmake_minimum_required(VERSION 3.22)\nproject(probe LANGUAGES CXX)\nfind_package(opp2p 0.1 ${HOW})\n"
                'message(STATUS "opp2p_FOUND=${opp2p_FOUND}")\n')
            probe = ["cmake", "-S", scratch, "-B", scratch + "/build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}"]
            # The folder of a .pc file that is not what it says: pkg-config finds nothing there.
            nowhere = {"PKG_CONFIG_LIBDIR": scratch, "PKG_CONFIG_PATH": ""}
            for dependency, options, environment in (("libsecp256k1", ["-UCMAKE_DISABLE_FIND_PACKAGE_fmt"], nowhere),
                                                     ("fmt", ["-DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON"], None)):
                with self.subTest(dependency):
                    done = run(*probe, *options, "-DHOW=QUIET", environment=environment)
                    self.assertEqual(done.returncode, 0, done.stdout)
                    self.assertRegex(done.stdout, r"opp2p_FOUND=(0|FALSE)")
                    done = run(*probe, *options, "-DHOW=REQUIRED", environment=environment)
                    self.assertNotEqual(done.returncode, 0)
                    self.assertIn(dependency, done.stdout)
            done = run(*probe, "-UCMAKE_DISABLE_FIND_PACKAGE_fmt", "-DHOW=QUIET")
            self.assertRegex(done.stdout, r"opp2p_FOUND=(1|TRUE)")

    def test_as_a_subdirectory_it_leaves_the_build_type_to_the_parent(self):
        with tempfile.TemporaryDirectory() as scratch:
            done = run("cmake", "-S", CONSUMER, "-B", scratch, "-G", "Ninja", f"-DOPP2P_SOURCE={opp2p.ROOT}")
            self.assertEqual(done.returncode, 0, done.stdout[-4000:])
            cache = (pathlib.Path(scratch) / "CMakeCache.txt").read_text()
            self.assertRegex(cache, r"(?m)^CMAKE_BUILD_TYPE:\w+=$")


if __name__ == "__main__":
    unittest.main()
