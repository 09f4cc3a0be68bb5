"""The library from outside: the examples as programs, and a project of a user's that finds an installed copy or adds the checkout."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

from lib import installed, opp2p

EXAMPLES = opp2p.ROOT / "build" / "examples"
CONSUMER = opp2p.ROOT / "tests" / "consumer"
ADDRESS = re.compile(r"^/ip4/127\.0\.0\.1/tcp/[1-9]\d*/p2p/\w+$")


class Started:
    """A program that runs until the test ends."""

    def __init__(self, test, *command, stdin=None):
        self.process = subprocess.Popen([str(part) for part in command], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for pipe in filter(None, (self.process.stdin, self.process.stderr, self.process.stdout)):
            test.addCleanup(pipe.close)
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

    def test_two_hosts_prints_the_greeting(self):
        done = subprocess.run([EXAMPLES / "two_hosts"], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, "Hello, world!\n"), done.stderr)

    def test_gating_closes_and_refuses_by_the_rules(self):
        done = subprocess.run([EXAMPLES / "gating"], capture_output=True, text=True, timeout=60)
        blocked = r"the address 10\.0\.0\.2 is blocked"
        self.assertRegex(done.stdout, rf"^2 are connected\ndurable: yes\nclosed: {blocked}\nrefused: {blocked}\n1 is connected\n"
                                      r"closed: the door is closed\n0 are connected; the second is not\n$")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_gossip_chat_prints_who_said_what(self):
        """Three in a row: who forwards a line is not who is printed. A program that hangs is killed, which ends the wait for its lines."""
        chats, addresses = [], []
        guard = threading.Timer(60, lambda: [chat.process.kill() for chat in chats])
        self.addCleanup(guard.cancel)
        guard.start()
        for _ in range(3):
            chats.append(Started(self, EXAMPLES / "gossip_chat", *addresses[-1:], stdin=subprocess.PIPE))
            addresses.append(chats[-1].line())
            self.assertRegex(addresses[-1], ADDRESS)
        first, middle, last = chats
        ids = [address.rpartition("/")[2] for address in addresses]
        for chat, others in ((first, {ids[1]}), (middle, {ids[0], ids[2]}), (last, {ids[1]})):
            self.assertEqual({chat.line() for _ in others}, {f"* with {other}" for other in others})
        for speaker, name in ((first, ids[0]), (last, ids[2])):
            speaker.process.stdin.write("hello \x1b[31m there\n")
            speaker.process.stdin.flush()
            for chat in chats:
                self.assertEqual(chat.line(), ("you" if chat is speaker else name) + ": hello ?[31m there")
        first.process.stdin.write("bye\n")
        for chat in chats:
            chat.process.stdin.close()
            self.assertEqual(chat.line(), ("you" if chat is first else ids[0]) + ": bye")
            self.assertEqual(chat.process.wait(30), 0)
            self.assertEqual(chat.process.stderr.read(), "")

    def test_gossip_chat_says_what_is_wrong(self):
        for bad in ("/ip4/127.0.0.1/tcp/1", "no address"):
            done = subprocess.run([EXAMPLES / "gossip_chat", bad], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^gossip_chat: .+\n$")

    def test_remembering_host_knows_its_peer_after_a_restart(self):
        address = Started(self, EXAMPLES / "echo").line()
        peer = address.rpartition("/")[2]
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "peers"
            for arguments, expected in (((address,), "0 peers known\n"), ((), f"1 peers known\n{peer} answers\n")):
                done = subprocess.run([EXAMPLES / "remembering_host", folder, *arguments], capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, expected, ""))

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
            listener = Started(self, EXAMPLES / "op_listener", about["chainId"], about["signer"], about["addresses"][-1])  # a follower: it stays
            blocks = [re.match(r"block (\d+) 0x[0-9a-f]{64}, \d+ transactions", listener.line()) for _ in range(3)]
            self.assertTrue(all(blocks), blocks)
            numbers = [int(block.group(1)) for block in blocks]
            # Who comes into a mesh hears of what was gossiped right before, so that the first blocks may change places.
            self.assertEqual(len(set(numbers)), 3, numbers)
            self.assertLess(max(numbers) - min(numbers), 5, numbers)
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
    """tests/consumer, built in a folder of its own. As a Release build: ccache has the library's objects from our own."""

    def build(self, build, *options):
        ccache = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        for command in (["cmake", "-S", CONSUMER, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *ccache, *options],
                        ["cmake", "--build", build]):
            done = run(*command)
            self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        return build

    def assert_listens(self, program):
        ran = subprocess.run([program], capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertRegex(ran.stdout.strip(), ADDRESS)

    def assert_gossips(self, program):
        ran = subprocess.run([program], capture_output=True, text=True, timeout=60)
        self.assertEqual((ran.returncode, ran.stdout), (0, "/optimism/10/0/blocks: 1\n"), ran.stderr)

    def test_an_installed_copy_is_found_and_linked(self):
        prefix = installed.prefix()
        leaked = [path for path in (*prefix.rglob("*.cmake"), *prefix.rglob("*.pc")) if str(opp2p.ROOT / "src") in path.read_text()]
        self.assertEqual(leaked, [], "the installed package points into the checkout")
        with tempfile.TemporaryDirectory() as scratch:
            build = self.build(pathlib.Path(scratch), f"-DCMAKE_PREFIX_PATH={prefix}")
            self.assert_listens(build / "listener")
            self.assert_gossips(build / "topics")

    def test_libp2p_alone_neither_looks_for_nor_links_what_the_others_need(self):
        with tempfile.TemporaryDirectory() as scratch:
            build = self.build(pathlib.Path(scratch), f"-DCMAKE_PREFIX_PATH={installed.prefix()}", "-DCOMPONENTS=libp2p")
            self.assert_listens(build / "listener")
            cache = (build / "CMakeCache.txt").read_text()
            self.assertIn("OPENSSL_CRYPTO_LIBRARY", cache)
            self.assertEqual(re.findall(r"(?im)^(\w*(?:json|snappy|lmdb|fmt|spdlog|gtest)\w*):", cache), [])
            linked = run("ninja", "-C", build, "-t", "commands", "listener").stdout
            needed = run("readelf", "-d", build / "listener").stdout
            self.assertIn("libopp2p_libp2p.a", linked)
            self.assertIn("libcrypto", needed)
            self.assertIsNone(re.search("json|snappy|lmdb|fmt|spdlog|opp2p_opstack|opp2p_testing", linked))
            self.assertIsNone(re.search("json|snappy|lmdb|fmt|spdlog", needed))

    def test_pkg_config_alone_is_enough_to_build_with(self):
        with tempfile.TemporaryDirectory() as scratch:
            # A copy that has been moved: the .pc files find it from where they are.
            prefix = pathlib.Path(scratch) / "moved"
            shutil.copytree(installed.prefix(), prefix)
            found = {"PKG_CONFIG_PATH": str(next(prefix.rglob("pkgconfig")))}
            compiler = ["ccache", "g++"] if shutil.which("ccache") else ["g++"]
            for program, modules in (("listener", ["opp2p-libp2p"]), ("topics", ["opp2p-opstack", "opp2p-testing"])):
                with self.subTest(program):
                    flags = run("pkg-config", "--static", "--cflags", "--libs", *modules, environment=found)
                    self.assertEqual(flags.returncode, 0, flags.stdout)
                    built = pathlib.Path(scratch) / program
                    done = run(*compiler, "-std=c++20", f"-I{CONSUMER}", CONSUMER / f"{program}.cpp", "-o", built, *flags.stdout.split())
                    self.assertEqual(done.returncode, 0, done.stdout[-4000:])
                    if program == "listener":
                        self.assertNotRegex(flags.stdout, "json|snappy|lmdb|fmt|opstack")
                        self.assert_listens(built)
                    else:
                        self.assert_gossips(built)
            versions = run("pkg-config", "--modversion", "opp2p-libp2p", "opp2p-opstack", "opp2p-testing", environment=found).stdout.split()
            self.assertEqual(len(versions), 3)
            self.assertEqual(len(set(versions)), 1)

    def test_as_a_subdirectory_it_leaves_the_build_type_to_the_parent(self):
        with tempfile.TemporaryDirectory() as scratch:
            done = run("cmake", "-S", CONSUMER, "-B", scratch, "-G", "Ninja", f"-DOPP2P_SOURCE={opp2p.ROOT}")
            self.assertEqual(done.returncode, 0, done.stdout[-4000:])
            cache = (pathlib.Path(scratch) / "CMakeCache.txt").read_text()
            self.assertRegex(cache, r"(?m)^CMAKE_BUILD_TYPE:\w+=$")


class Components(unittest.TestCase):
    """find_package(opp2p …) in a project that only says what it found."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.project = pathlib.Path(scratch.name)

    def find(self, arguments, *options, environment=None):
        """Whether the configuration succeeded, what it printed, and the values of the variables opp2p_*."""
        (self.project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.22)\nproject(probe LANGUAGES CXX)\n"
            f"find_package(opp2p 0.1 {arguments})\n"
            "get_cmake_property(names VARIABLES)\n"
            "foreach(name IN LISTS names)\n  if(name MATCHES \"^_?opp2p_\")\n    message(STATUS \"<${name}=${${name}}>\")\n  endif()\n"
            "endforeach()\n"
            "foreach(name libp2p opstack testing)\n  if(TARGET opp2p::${name})\n    message(STATUS \"<target=${name}>\")\n  endif()\n"
            "endforeach()\n")
        shutil.rmtree(self.project / "build", ignore_errors=True)
        done = run("cmake", "-S", self.project, "-B", self.project / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={installed.prefix()}",
                   *options, environment=environment)
        pairs = re.findall(r"<(\w+)=(.*?)>", done.stdout, re.DOTALL)
        values = dict(pairs)
        values["targets"] = [value for name, value in pairs if name == "target"]
        return done.returncode == 0, " ".join(done.stdout.split()), values

    def without(self, dependency):
        """Options and environment of a machine that lacks it."""
        if dependency.startswith("lib"):
            # Shadows the real module by one that needs what nobody has.
            (self.project / f"{dependency}.pc").write_text(f"Name: {dependency}\nDescription: x\nVersion: 99\nRequires: nothing-like-it\n")
            return [], {"PKG_CONFIG_PATH": str(self.project)}
        return [f"-DCMAKE_DISABLE_FIND_PACKAGE_{dependency}=ON"], None

    def test_without_components_all_are_given(self):
        for arguments in ("REQUIRED", "", "REQUIRED COMPONENTS testing opstack"):
            with self.subTest(arguments):
                configured, text, values = self.find(arguments)
                self.assertTrue(configured, text)
                self.assertEqual(values["opp2p_FOUND"], "1")
                self.assertEqual(values["targets"], ["libp2p", "opstack", "testing"])
                self.assertEqual([name for name in values if name.startswith("_opp2p")], [], "variables that the package leaves behind")

    def test_a_missing_dependency_makes_its_component_not_found_and_is_named(self):
        for dependency, component, message in (("libsodium", "libp2p", "needs libsodium, which pkg-config does not find"),
                                               ("OpenSSL", "testing", "opp2p::libp2p needs OpenSSL 3.0, which CMake does not find"),
                                               ("PkgConfig", "libp2p", "opp2p::libp2p needs PkgConfig, which CMake does not find"),
                                               ("Snappy", "opstack", "opp2p::opstack needs Snappy, which CMake does not find")):
            with self.subTest(dependency):
                options, environment = self.without(dependency)
                configured, text, values = self.find(f"QUIET COMPONENTS {component}", *options, environment=environment)
                self.assertTrue(configured, text)
                self.assertIn(values["opp2p_FOUND"], ("0", "FALSE"))
                self.assertIn(message, values[f"opp2p_{component}_NOT_FOUND_MESSAGE"])
                self.assertNotIn(component, values["targets"])
                configured, text, values = self.find(f"REQUIRED COMPONENTS {component}", *options, environment=environment)
                self.assertFalse(configured)
                self.assertIn(message, text)

    def test_what_only_another_component_needs_may_be_missing(self):
        options, environment = self.without("Snappy")
        configured, text, values = self.find("REQUIRED COMPONENTS libp2p testing OPTIONAL_COMPONENTS opstack", *options)
        self.assertTrue(configured, text)
        self.assertEqual(values["targets"], ["libp2p", "testing"])
        self.assertEqual((values["opp2p_libp2p_FOUND"], values["opp2p_opstack_FOUND"]), ("TRUE", "FALSE"))
        for nobody_needs in ("fmt", "GTest", "liblmdb"):
            options, environment = self.without(nobody_needs)
            configured, text, values = self.find("REQUIRED", *options, environment=environment)
            self.assertTrue(configured, text)

    def test_a_component_can_be_installed_by_itself(self):
        alone = self.project / "alone"
        done = run("cmake", "--install", opp2p.ROOT / "build", "--component", "libp2p", "--prefix", alone)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual([path.name for path in alone.rglob("*.a")], ["libopp2p_libp2p.a"])
        self.assertEqual([path.name for path in (alone / "include" / "opp2p").iterdir()], ["libp2p"])
        configured, text, values = self.find("REQUIRED COMPONENTS libp2p OPTIONAL_COMPONENTS opstack", f"-DCMAKE_PREFIX_PATH={alone}")
        self.assertTrue(configured, text)
        self.assertEqual(values["targets"], ["libp2p"])
        self.assertIn("opp2p::opstack is not installed", values["opp2p_opstack_NOT_FOUND_MESSAGE"])

    def test_a_component_that_there_is_not_is_named(self):
        configured, text, values = self.find("REQUIRED COMPONENTS libp2p node")
        self.assertFalse(configured)
        self.assertIn("opp2p has no component node. It has libp2p, lmdb, opstack, testing.", text)


class Products(unittest.TestCase):
    """What the archives of the build need of each other."""

    def symbols(self, name, kind):
        done = run("nm", "--format=posix", f"--{kind}-only", opp2p.ROOT / "build" / f"libopp2p_{name}.a")
        self.assertEqual(done.returncode, 0, done.stdout[-1000:])
        lines = (line.split() for line in done.stdout.splitlines())
        # A weak one is defined wherever it is used: it makes nobody link its neighbour.
        return {words[0] for words in lines if len(words) > 1 and words[1] in "TDBRU"}

    def test_no_product_needs_one_above_it(self):
        products = ("libp2p", "opstack", "node")
        above = {"libp2p": ("lmdb", "opstack", "testing", "opstack_testing", "node", "sim", "devnet"),
                 "opstack": ("lmdb", "testing", "opstack_testing", "node", "sim", "devnet"), "node": ("testing", "opstack_testing", "sim", "devnet")}
        self.assertTrue(self.symbols("devnet", "undefined") & self.symbols("node", "defined"), "what a need looks like")
        offered = set()
        for product in products:
            offered |= self.symbols(product, "defined")
            needed = self.symbols(product, "undefined") - offered
            self.assertTrue(needed)
            for other in above[product]:
                others = self.symbols(other, "defined")
                self.assertTrue(others, other)
                self.assertEqual(sorted(needed & others)[:5], [], f"{product} needs {other}")
                self.assertEqual(sorted(offered & others)[:5], [], f"{other} is inside {product}")

    def test_the_daemon_is_installed_as_a_program_only(self):
        prefix = installed.prefix()
        self.assertEqual([path.name for path in (prefix / "bin").iterdir()], ["opp2p"])
        self.assertEqual(sorted(path.name for path in prefix.rglob("*.a")),
                         ["libopp2p_libp2p.a", "libopp2p_lmdb.a", "libopp2p_opstack.a", "libopp2p_testing.a"])


class Documents(unittest.TestCase):
    def test_the_architecture_names_every_folder(self):
        """By its path, or by `<name>` where one folder after another is of the same kind (protocols/<name>)."""
        text = (opp2p.ROOT / "docs" / "architecture.md").read_text()
        named = set(re.findall(r"^\| `([a-z0-9_/<>]+)` \|", text, re.MULTILINE))
        folders = {path.parent.relative_to(opp2p.ROOT).as_posix().removeprefix("src/") for top in ("src", "sim", "apps")
                   for path in (opp2p.ROOT / top).rglob("CMakeLists.txt") if "opp2p_folder(" in path.read_text()}
        kinds = {name.removesuffix("/<name>") for name in named if name.endswith("/<name>")}
        self.assertEqual([name for name in sorted(folders - named) if name.rpartition("/")[0] not in kinds], [], "docs/architecture.md")
        self.assertEqual([name for name in sorted(named) if "<" not in name and not (opp2p.ROOT / "src" / name).is_dir()
                          and not (opp2p.ROOT / name).is_dir()], [], "docs/architecture.md names what is not there")

    def test_the_headers_that_users_are_shown_are_public(self):
        public = {header for part in installed.listed() for header in part}
        for document in ("README.md", "docs/library.md"):
            text = (opp2p.ROOT / document).read_text()
            shown = set(re.findall(r"\b(?:libp2p|opstack)/[\w/]+\.hpp", text))
            self.assertTrue(shown, document)
            self.assertEqual(sorted(shown - public), [], document)


if __name__ == "__main__":
    unittest.main()
