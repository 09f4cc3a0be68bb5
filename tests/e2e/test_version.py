"""The version that a build gets: with the commit where the source is a repository of its own, without one elsewhere."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from lib import opp2p

SCRATCH = tempfile.TemporaryDirectory()  # removed when the interpreter ends


class Version(unittest.TestCase):
    def setUp(self):
        self.source = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH.name))
        self.out = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH.name)) / "version.cpp"

    def git(self, *arguments):
        subprocess.run(["git", "-C", self.source, "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments], check=True,
                       stdout=subprocess.DEVNULL)

    def version(self, source=None):
        subprocess.run(["cmake", "-D", f"SOURCE_DIR={source or self.source}", "-D", "VERSION=1.2.3", "-D", f"OUT={self.out}",
                        "-P", opp2p.ROOT / "cmake" / "WriteVersion.cmake"], check=True)
        return re.search('return "(.*)";', self.out.read_text()).group(1)

    def test_an_archive_has_the_version_alone(self):
        self.assertEqual(self.version(), "1.2.3")

    @unittest.skipUnless(shutil.which("git"), "git is not installed")
    def test_a_repository_has_the_commit_and_says_when_files_were_changed(self):
        file = self.source / "file"
        file.write_text("one")
        self.git("init", "-q")
        self.git("add", "file")
        self.git("commit", "-q", "-m", "one")
        self.git("tag", "v9")  # a tag is no commit
        first = self.version()
        self.assertRegex(first, "^1.2.3-[0-9a-f]{8,}$")
        written = self.out.stat().st_mtime_ns
        self.assertEqual(self.version(), first)
        self.assertEqual(self.out.stat().st_mtime_ns, written)  # so that nothing is compiled again
        file.write_text("two")
        self.assertEqual(self.version(), first + "-dirty")
        inside = self.source / "third_party" / "opp2p"
        inside.mkdir(parents=True)
        self.assertEqual(self.version(inside), "1.2.3")  # the commit of whoever copied the source is not ours


if __name__ == "__main__":
    unittest.main()
