#!/usr/bin/env python3
"""Compares the includes of every folder with what the folder declares.

A folder's CMakeLists.txt declares with opp2p_folder which folders it may include (USES), that it is PURE, or which of its files are pure
(PURE_FILES). cmake/Folder.cmake explains these words. The script reports:

- an include of our own headers that is not declared, and a declared folder that is not included;
- an include of a higher layer (FLOORS below), and a circle of folders;
- a protocol that includes another protocol, and library code that includes a header for tests;
- an include of boost/json in a folder that does not declare LINKS Boost::json (opp2p/node, whose snapshots are plain values);
- a pure file that uses Asio, threads, clocks, entropy, files or the log, or includes a header that may.

Each breach is printed as file:line. The exit code is 1 if there is one.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The layers from the lowest to the highest. A folder may not include a higher one.
FLOORS = [*(f"libp2p/{name}" for name in ("base", "crypto", "multiformats", "protocols", "runtime", "storage", "seams", "security", "muxers",
                                          "upgrade", "connection", "transports", "host", "services", "testing")),
          "opstack", "opp2p", "sim", "apps"]
TOPS = ("src", "sim", "apps")
PROGRAMS = {"apps/opp2p"}  # main and the subcommands may include everything
DECLARATION = re.compile(r"^opp2p_folder\((.*?)\)", re.MULTILINE | re.DOTALL)
KEYWORDS = ("PURE", "PURE_FILES", "USES", "LINKS")
TEST = re.compile(r"_(test|fuzz|corpus|bench)\.(cpp|hpp)$|_test_\w+\.hpp$")
# An include of one of our own headers, in quotes or in angle brackets.
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<((?:libp2p|opstack|opp2p|sim|apps)/[^>]+)>)')
ANY_INCLUDE = re.compile(r"^\s*#\s*include\b")
PLAIN_INCLUDE = re.compile(r'^\s*#\s*include\s*["<]')
WHOLE_ASIO = re.compile(r"^\s*#\s*include\s*[<\"]boost/asio\.hpp")
IMPURE_INCLUDE = re.compile(
    r'^\s*#\s*include\s*[<"](boost/asio|boost/beast|thread|mutex|shared_mutex|condition_variable|semaphore|future|random|fstream|'
    r"iostream|filesystem|unistd\.h|fcntl\.h|sys/|netinet/|libp2p/runtime/)")
# The C library's time() has an argument; a method time() of our own has none.
IMPURE_CALL = re.compile(
    r"\b(system_clock|steady_clock|high_resolution_clock|random_device|getrandom|RAND_bytes|gettimeofday|clock_gettime|"
    r"std::this_thread)\b|\bstd::(cout|cerr)\b|[^_\w](printf|rand|time(?!\(\))|fopen|getenv)\(")
JSON_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]boost/json')
SUFFIXES = (".hpp", ".cpp", ".def")


class Folder:
    def __init__(self, path, words):
        self.path = path
        self.name = name_of(path)
        self.declared = {keyword: [] for keyword in KEYWORDS}
        self.pure = "PURE" in words
        keyword = None
        for word in words:
            if word in KEYWORDS:
                keyword = word
            else:
                self.declared[keyword].append(word)
        self.patterns = {word[:-1] for word in self.declared["USES"] if word.endswith("/*")}
        self.uses = {word for word in self.declared["USES"] if not word.endswith("/*")}
        self.may_use = set()  # what the patterns name; no include has to show it
        self.pure_files = set(self.declared["PURE_FILES"])

    def resolve(self, folders):
        """Replaces FOLDER/* by the folders in it."""
        for pattern in self.patterns:
            found = {name for name in folders if name.startswith(pattern) and "/" not in name[len(pattern):]}
            self.may_use |= found - self.uses
        self.uses |= self.may_use

    def is_pure(self, path):
        return self.pure or path.stem in self.pure_files

    def sources(self):
        return sorted(path for path in self.path.iterdir() if path.suffix in SUFFIXES)


def name_of(path):
    name = path.relative_to(ROOT).as_posix()
    return name.removeprefix("src/")


def read_folders():
    for path in sorted(path for top in TOPS for path in (ROOT / top).rglob("CMakeLists.txt")):
        found = DECLARATION.search(re.sub(r"#.*", "", path.read_text()))
        if found:
            yield Folder(path.parent, found.group(1).split())


def floor_of(name):
    return next((i for i, floor in enumerate(FLOORS) if name == floor or name.startswith(floor + "/")), None)


def included_by(line):
    """Our own header that a line includes, or None."""
    found = INCLUDE.search(line)
    return (found.group(1) or found.group(2)) if found else None


def is_pure_header(header, folders):
    name = header.rpartition("/")[0]
    return name in WORLDLESS or name not in folders or folders[name].pure or pathlib.PurePath(header).stem in folders[name].pure_files


def check_file(folder, path, folders):
    """Breaches of one file as (line, text), and the folders that it includes."""
    breaches, used = [], set()
    is_test = TEST.search(path.name)
    is_pure = not is_test and folder.is_pure(path)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if WHOLE_ASIO.search(line):
            breaches.append((number, "includes the whole of Asio; include the single headers that are used"))
        if ANY_INCLUDE.search(line) and not PLAIN_INCLUDE.search(line):
            breaches.append((number, "includes what a macro names; name the header"))
        if is_pure and (IMPURE_INCLUDE.search(line) or IMPURE_CALL.search(line.split("//")[0])):
            breaches.append((number, "a pure engine may not touch the world: " + line.strip()))
        if not is_test and JSON_INCLUDE.search(line) and "Boost::json" not in folder.declared["LINKS"]:
            breaches.append((number, f"{folder.name} does not declare that it links Boost::json; JSON of the node is made in opp2p/rpc"))
        header = included_by(line)
        if header is None:
            continue
        target = header.rpartition("/")[0]
        if target not in folders:
            if not is_test or (target != "testing" and not (ROOT / header).is_file()):
                breaches.append((number, f'"{header}" is in no folder of the house; name it from its root'))
            continue
        if target == folder.name and not is_test and TEST.search(header):
            breaches.append((number, f'"{header}" is for tests: its name says so'))
        if target == folder.name or is_test:
            continue
        used.add(target)
        if target not in folder.uses:
            breaches.append((number, f"{folder.name} does not declare that it uses {target}"))
        if TEST.search(header):
            breaches.append((number, f'"{header}" is for tests: its name says so'))
    if is_pure:
        lines = enumerate(path.read_text().splitlines(), 1)
        breaches += [(number, f'a pure file includes "{header}", which is not') for number, line in lines
                     if (header := included_by(line)) and not is_pure_header(header, folders)]
    return breaches, used


def check_folder(folder, folders):
    """Breaches of a folder as (file, line, text)."""
    where = folder.path / "CMakeLists.txt"
    used = set()
    for path in folder.sources():
        breaches, includes = check_file(folder, path, folders)
        used |= includes
        yield from ((path, number, text) for number, text in breaches)
    for name in sorted(folder.uses - folders.keys()):
        yield where, 1, f"{folder.name} uses {name}, which is no folder"
    for pattern in sorted(folder.patterns):
        if not any(name.startswith(pattern) for name in folder.may_use):
            yield where, 1, f"{folder.name} uses {pattern}*, and there is no such folder"
    for name in sorted((folder.uses & folders.keys()) - used - folder.may_use):
        yield where, 1, f"{folder.name} declares that it uses {name}, and does not"
    for name in sorted(folder.uses & folders.keys()):
        if floor_of(name) > floor_of(folder.name):
            yield where, 1, f"the arrow from {folder.name} to {name} runs upwards"
        if all("/protocols/" in one for one in (folder.name, name)):
            yield where, 1, f"{folder.name} and {name} are siblings under protocols/, which do not know each other"
    for stem in sorted(folder.pure_files):
        if not any(path.stem == stem for path in folder.sources()):
            yield where, 1, f"there is no {stem} to be pure"


# Impure only in how they get entropy or wipe memory: their results depend on their arguments alone.
WORLDLESS = {"libp2p/crypto"}


def circles(folders):
    """Each circle of folders once, as a list of names."""
    state, path = {}, []

    def visit(name):
        state[name] = "open"
        path.append(name)
        for used in sorted(folders[name].uses & folders.keys()):
            if state.get(used) == "open":
                yield path[path.index(used):] + [used]
            elif used not in state:
                yield from visit(used)
        path.pop()
        state[name] = "done"

    for name in sorted(folders):
        if name not in state:
            yield from visit(name)


def main():
    folders = {folder.name: folder for folder in read_folders()}
    for folder in folders.values():
        folder.resolve(folders)
    nowhere = sorted(name for name in folders if floor_of(name) is None)
    breaches = [(folders.pop(name).path, 1, f"{name} has no floor in the house (FLOORS in tools/check_layers.py)") for name in nowhere]
    breaches += [breach for folder in folders.values() for breach in check_folder(folder, folders)]
    files = [path for top in TOPS for path in (ROOT / top).rglob("*") if path.is_file() and path.name != "CMakeLists.txt"]
    breaches += [(path, 1, f"a source is one of {', '.join(SUFFIXES)}; others are not read here") for path in sorted(files)
                 if path.suffix not in SUFFIXES]
    undeclared = {path.parent for path in files} - {folder.path for folder in folders.values()} - {ROOT / name for name in PROGRAMS}
    breaches += [(path, 1, "has sources and no CMakeLists.txt with opp2p_folder") for path in sorted(undeclared)
                 if name_of(path) not in nowhere]
    for circle in circles(folders):
        breaches.append((folders[circle[0]].path / "CMakeLists.txt", 1, "a circle: " + " -> ".join(circle)))
    for path, number, text in breaches:
        print(f"{path.relative_to(ROOT)}:{number}: {text}")
    files = sum(len(folder.sources()) for folder in folders.values())
    print(f"layers: {len(folders)} folders, {files} files, {len(breaches)} breaches")
    return 1 if breaches or not files else 0


if __name__ == "__main__":
    sys.exit(main())
