#!/usr/bin/env python3
"""Holds the includes to what the folders declare, and the pure files to their purity.

A folder's CMakeLists.txt declares with opp2p_folder what it may include (USES), that it is PURE, or which of its files are
(PURE_FILES); cmake/Folder.cmake says what that means. This checks that every include of a house header is declared, that every
declared folder is used, that no arrow runs upwards or in a circle, that siblings under protocols/ do not know each other, and that
pure files touch nothing of the world: no Asio, threads, clocks, entropy, files or logs. Prints each breach as file:line and ends
with 1 when there is one.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Where folders stand, from the bottom of the house to the top; an arrow to a later one runs upwards.
PRODUCTS = ["libp2p", "opstack", "opp2p", "sim", "apps/devnet"]
DECLARATION = re.compile(r"^opp2p_folder\((.*?)\)", re.MULTILINE | re.DOTALL)
KEYWORDS = ("PURE", "PURE_FILES", "USES", "LINKS")
TEST = re.compile(r"_(test|fuzz|corpus|bench)\.(cpp|hpp)$|_test_\w+\.hpp$")
# What those who assemble the house may include.
INCLUDE = re.compile(r'#include\s+"([^"]+)"')
WHOLE_ASIO = re.compile(r"#include\s+[<\"]boost/asio\.hpp")
IMPURE_INCLUDE = re.compile(
    r'#include\s+[<"](boost/asio|boost/beast|thread|mutex|shared_mutex|condition_variable|future|random|fstream|iostream|'
    r"filesystem|unistd\.h|sys/|netinet/|libp2p/runtime/)")
IMPURE_CALL = re.compile(
    r"\b(system_clock|steady_clock|high_resolution_clock|random_device|getrandom|RAND_bytes|gettimeofday|clock_gettime|"
    r"std::this_thread)\b|\bstd::(cout|cerr)\b|[^_\w](printf|rand|time)\(")


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
        return sorted(path for path in self.path.iterdir() if path.suffix in (".hpp", ".cpp"))


def name_of(path):
    name = path.relative_to(ROOT).as_posix()
    return name.removeprefix("src/")


def read_folders():
    lists = [*(ROOT / "src").rglob("CMakeLists.txt"), ROOT / "sim" / "CMakeLists.txt", ROOT / "apps" / "devnet" / "CMakeLists.txt"]
    for path in sorted(lists):
        found = DECLARATION.search(re.sub(r"#.*", "", path.read_text()))
        if found:
            yield Folder(path.parent, found.group(1).split())


def product_of(name):
    return next((i for i, product in enumerate(PRODUCTS) if name == product or name.startswith(product + "/")), None)


def check_file(folder, path, folders):
    """Breaches of one file as (line, text), and the folders that it includes."""
    breaches, used = [], set()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if WHOLE_ASIO.search(line):
            breaches.append((number, "includes the whole of Asio; include the single headers that are used"))
        included = INCLUDE.search(line)
        if included and not TEST.search(path.name):
            target = included.group(1).rsplit("/", 1)[0] if "/" in included.group(1) else None
            if target not in folders:
                breaches.append((number, f'"{included.group(1)}" is in no folder of the house; name it from its root'))
            elif target != folder.name:
                used.add(target)
                if target not in folder.uses:
                    breaches.append((number, f"{folder.name} does not declare that it uses {target}"))
        elif included and not TEST.search(included.group(1)):
            target = included.group(1).rsplit("/", 1)[0]
            if target not in folders and target != "testing" and not (ROOT / included.group(1)).is_file():
                breaches.append((number, f'"{included.group(1)}" is in no folder of the house; name it from its root'))
        if not TEST.search(path.name) and folder.is_pure(path):
            if IMPURE_INCLUDE.search(line) or IMPURE_CALL.search(line.split("//")[0]):
                breaches.append((number, "a pure engine may not touch the world: " + line.strip()))
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
        if product_of(name) > product_of(folder.name):
            yield where, 1, f"the arrow from {folder.name} to {name} runs upwards"
        protocols = [one.split("/protocols/")[0] for one in (folder.name, name) if "/protocols/" in one]
        if len(protocols) == 2:
            yield where, 1, f"{folder.name} and {name} are siblings under protocols/, which do not know each other"
        if folder.pure and not folders[name].pure:
            impure = [path for path in folder.sources() for line in path.read_text().splitlines()
                      if (found := INCLUDE.search(line)) and found.group(1).rsplit("/", 1)[0] == name and not TEST.search(path.name)
                      and pathlib.PurePath(found.group(1)).stem not in folders[name].pure_files and name not in WORLDLESS]
            for path in impure:
                yield path, 1, f"{folder.name} is pure and includes {name}, which is not"
    for stem in sorted(folder.pure_files):
        if not any(path.stem == stem for path in folder.sources()):
            yield where, 1, f"there is no {stem} to be pure"


# Impure only in how they get entropy or clean memory; what they offer is a function of what goes in.
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
    breaches = [breach for folder in folders.values() for breach in check_folder(folder, folders)]
    undeclared = {path.parent for path in (ROOT / "src").rglob("*.?pp")} - {folder.path for folder in folders.values()}
    breaches += [(path, 1, "has sources and no CMakeLists.txt with opp2p_folder") for path in sorted(undeclared)]
    for circle in circles(folders):
        breaches.append((folders[circle[0]].path / "CMakeLists.txt", 1, "a circle: " + " -> ".join(circle)))
    for path, number, text in breaches:
        print(f"{path.relative_to(ROOT)}:{number}: {text}")
    files = sum(len(folder.sources()) for folder in folders.values())
    print(f"layers: {len(folders)} folders, {files} files, {len(breaches)} breaches")
    return 1 if breaches or not files else 0


if __name__ == "__main__":
    sys.exit(main())
