"""tools/check_layers.py finds what it is there to find: each breach, put into a copy of the sources, is told."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from lib import opp2p

HOST = "src/libp2p/host"
NOISE = "src/libp2p/protocols/noise"
MEMORY = "src/libp2p/transports/memory"


class Layers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        for name in ("src", "sim", "apps"):
            shutil.copytree(opp2p.ROOT / name, cls.root / name)
        (cls.root / "tools").mkdir()
        shutil.copy(opp2p.ROOT / "tools" / "check_layers.py", cls.root / "tools")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def check(self):
        done = subprocess.run([sys.executable, "-B", self.root / "tools" / "check_layers.py"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def test_the_sources_as_they_are_have_no_breach(self):
        code, text = self.check()
        self.assertEqual(code, 0, text)

    def test_each_breach_is_told(self):
        """The files, each with what is added at its end, and what is told of one of them."""
        cases = {
            "quotes": ({f"{NOISE}/handshake.cpp": '#include "libp2p/host/host.hpp"'}, "does not declare that it uses libp2p/host"),
            "angle brackets": ({f"{NOISE}/handshake.cpp": "#include <libp2p/host/host.hpp>"}, "does not declare that it uses libp2p/host"),
            "a space": ({f"{NOISE}/handshake.cpp": ' # include "libp2p/host/host.hpp"'}, "does not declare that it uses libp2p/host"),
            "a macro": ({f"{NOISE}/handshake.cpp": "#include HEADER"}, "includes what a macro names"),
            "a header of tests": ({"src/libp2p/base/x_test.hpp": "", "src/libp2p/base/bytes.cpp": '#include "libp2p/base/x_test.hpp"'},
                                  "is for tests"),
            "another suffix": ({"src/libp2p/base/x.ipp": '#include "libp2p/host/host.hpp"'}, "others are not read here"),
            "a subfolder": ({f"{HOST}/detail/x.hpp": ""}, "has sources and no CMakeLists.txt"),
            "a subfolder of sim": ({"sim/detail/x.hpp": '#include "apps/devnet/devnet.hpp"'}, "has sources and no CMakeLists.txt"),
            "a new program": ({"apps/tool/x.hpp": ""}, "has sources and no CMakeLists.txt"),
            "a folder of no floor": ({"src/libp2p/odd/CMakeLists.txt": "opp2p_folder()"}, "has no floor in the house"),
            "a transport that knows the host": (
                {f"{MEMORY}/CMakeLists.txt": "", f"{MEMORY}/memory_net.cpp": '#include "libp2p/host/host.hpp"'}, "runs upwards"),
            "a pure file and its impure neighbour": ({f"{HOST}/peerstore.hpp": '#include "libp2p/host/host.hpp"'},
                                                     'a pure file includes "libp2p/host/host.hpp"'),
            "JSON in the node": ({"src/opp2p/node/snapshots.hpp": "#include <boost/json/value.hpp>"}, "JSON of the node is made in opp2p/rpc"),
            "a pure file and the clock of C": ({f"{NOISE}/handshake.cpp": "std::time(nullptr);"}, "may not touch the world"),
            "a pure file and a clock": ({f"{NOISE}/handshake.cpp": "std::chrono::steady_clock::now();"}, "may not touch the world"),
        }
        for name, (files, told) in cases.items():
            with self.subTest(name):
                before = {path: (self.root / path).read_text() if (self.root / path).exists() else None for path in files}
                for path, text in files.items():
                    (self.root / path).parent.mkdir(exist_ok=True)
                    declared = (before[path] or "").replace("libp2p/seams)", "libp2p/seams libp2p/host)") if not text else before[path]
                    (self.root / path).write_text((declared or "") + text + "\n")
                code, text = self.check()
                for path, old in before.items():
                    if old is None:
                        (self.root / path).unlink()
                    else:
                        (self.root / path).write_text(old)
                self.assertEqual(code, 1, text)
                self.assertIn(told, text)


if __name__ == "__main__":
    unittest.main()
