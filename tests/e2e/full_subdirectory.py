"""The checkout as a subdirectory of another project, built whole. Part of `./test full` (suite "browser", which runs tests/e2e/full_*.py);
tests/e2e/test_library.py configures it in each run."""

import json
import os
import pathlib
import tempfile
import unittest
import unittest.mock

import test_library
from lib import opp2p


class Subdirectory(unittest.TestCase):
    build = test_library.Consumer.build
    assert_listens = test_library.Consumer.assert_listens
    assert_gossips = test_library.Consumer.assert_gossips

    def test_the_checkout_can_be_a_subdirectory(self):
        """Without LMDB and fmt, and with neither warnings nor link options of ours in the parent's commands.

        It builds the libraries once more, as quickly as it can: without optimisation and several sources at once.
        """
        with tempfile.TemporaryDirectory() as scratch:
            build = pathlib.Path(scratch) / "build"
            (pathlib.Path(scratch) / "lmdb.pc").write_text("Name: lmdb\nDescription: hides the real one\nVersion: 0\nRequires: nothing\n")
            with unittest.mock.patch.dict(os.environ, {"PKG_CONFIG_PATH": scratch}):
                self.build(build, f"-DOPP2P_SOURCE={opp2p.ROOT}", "-DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON", "-DCMAKE_BUILD_TYPE=Quick",
                           "-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_UNITY_BUILD_BATCH_SIZE=0")
            self.assert_listens(build / "listener")
            self.assert_gossips(build / "topics")
            commands = json.loads((build / "compile_commands.json").read_text())
            ours = [one["command"] for one in commands if one["file"].startswith(str(test_library.CONSUMER))]
            self.assertEqual(len(ours), 2)
            for command in ours:
                self.assertNotRegex(command, r" -W| -O0| -fPIC")
            self.assertNotIn("-fuse-ld", test_library.run("ninja", "-C", build, "-t", "commands", "listener").stdout.splitlines()[-1])
            done = test_library.run("cmake", "--install", build, "--prefix", pathlib.Path(scratch) / "prefix")
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertFalse((pathlib.Path(scratch) / "prefix").exists(), "the parent's installation has something of ours in it")


if __name__ == "__main__":
    unittest.main()
