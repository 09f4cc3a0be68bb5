"""The public headers: what is installed is what cmake/public_headers.txt lists, and each of them can be included by itself."""

import concurrent.futures
import os
import re
import unittest

from lib import installed, opp2p

TEST = re.compile(r"_(test|fuzz|bench|corpus)\.cpp$")
BOOST = {"boost/system/result.hpp", "boost/circular_buffer.hpp", "boost/container/flat_set.hpp",
         "boost/unordered/unordered_flat_set.hpp"}  # headers only: users of libp2p have them
STANDARD = re.compile(r"[a-z_]+")  # <vector>, not <lmdb.h> or <fmt/format.h>


def included_first():
    """The headers that a source of the libraries includes before anything else: the build has compiled those alone."""
    sources = (path for path in (opp2p.ROOT / "src").rglob("*.cpp") if not TEST.search(path.name))
    includes = (re.search(r'#include\s+[<"]([^>"]+)', path.read_text()) for path in sources)
    return {found.group(1) for found in includes if found}


class PublicHeaders(unittest.TestCase):
    maxDiff = None

    def test_exactly_the_listed_headers_are_installed(self):
        used, needed = installed.listed()
        gone = [line for part in installed.lines() for line in part if not list((opp2p.ROOT / "src").glob(line))]
        self.assertEqual(gone, [], "cmake/public_headers.txt: take these lines out, or name where the headers are now")
        found = [path.relative_to(installed.headers()).as_posix() for path in installed.headers().rglob("*") if path.is_file()]
        self.assertEqual(sorted(found), sorted(used + needed))
        self.assertEqual({path.name for path in installed.headers().iterdir()}, {"libp2p", "opstack"})
        self.assertEqual([path.name for path in (installed.prefix() / "include").iterdir()], ["opp2p"])

    def test_the_list_is_in_order(self):
        for part in installed.lines():
            self.assertEqual(part, sorted(set(part)), "cmake/public_headers.txt: sort the lines of each part, each once")

    def test_a_public_header_includes_public_headers_only(self):
        used, needed = installed.listed()
        public = {*used, *needed}
        reached, wrong = set(), []
        for header in sorted(public):
            text = (opp2p.ROOT / "src" / header).read_text()
            for name in installed.HOUSE_INCLUDE.findall(text):
                reached.add(name)
                if name not in public:
                    wrong.append(f"{header} is public and includes {name}, which is not: add the line {name} to the second part of "
                                 f"cmake/public_headers.txt, or keep it out of the header")
                if header.startswith("libp2p/") and not name.startswith("libp2p/"):
                    wrong.append(f"{header} includes {name}, of another product")
            others = BOOST | ({"boost/json.hpp"} if header.startswith("opstack/") else set())
            wrong += [f"{header} includes <{name}>, which its users would have to have" for name in installed.OTHER_INCLUDE.findall(text)
                      if name not in others and not STANDARD.fullmatch(name)]
        wrong += [f"{header} is in the second part of cmake/public_headers.txt, and no public header includes it: take the line out, or "
                  f"move it to the first part when users work with it" for header in needed if header not in reached]
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_tests_and_insides_are_not_public(self):
        used, needed = installed.listed()
        inside = re.compile(r"_test|_fixture|_inside|_state\.hpp$|^opp2p/|^opstack/testing/")
        allowed = {"libp2p/protocols/noise/handshake_state.hpp", "libp2p/protocols/yamux/stream.hpp",  # engines hold these by value
                   "opstack/rules/signer_state.hpp"}  # a value of the public interface
        self.assertEqual([header for header in used + needed if inside.search(header) and header not in allowed], [])

    def test_each_compiles_alone(self):
        """Those that no source includes first; the build has shown it for the others."""
        used, needed = installed.listed()
        left = sorted({*used, *needed} - included_first())
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            failures = [text for text in pool.map(lambda header: installed.compile_alone("g++", header), left) if text]
        self.assertEqual(failures, [], "\n".join(failures))


if __name__ == "__main__":
    unittest.main()
