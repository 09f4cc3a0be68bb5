"""Every public header alone under both compilers. Part of `./test full` (suite "browser", which runs tests/e2e/full_*.py)."""

import concurrent.futures
import os
import shutil
import unittest

from lib import installed


class PublicHeaders(unittest.TestCase):
    def test_each_compiles_alone_with_gcc_and_clang(self):
        used, needed = installed.listed()
        for compiler in ("g++", "clang++-19"):
            with self.subTest(compiler):
                if shutil.which(compiler) is None:
                    self.skipTest(f"there is no {compiler} (apt-get install clang-19)")
                with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                    failures = [text for text in pool.map(lambda header: installed.compile_alone(compiler, header), used + needed) if text]
                self.assertEqual(failures, [], "\n".join(failures))


if __name__ == "__main__":
    unittest.main()
