#!/usr/bin/env python3
"""Finds what two sources of one folder define alike in their unnamed namespaces.

Such a function, constant or type is written twice: it belongs in a header of the folder. It is also an error of every build that compiles
several sources of a folder at once, as those in CI do, though only if both happen to be in one batch. Functions with one name and
other parameters are overloads and pass. --self-test checks the rules with good and bad examples.
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOPS = ("src", "sim", "apps", "tests")
TEST = re.compile(r"_(test|fuzz|corpus|bench)\.cpp$")
UNNAMED = re.compile(r"^namespace \{\n(.*?)^\}  // namespace\n", re.DOTALL | re.MULTILINE)
TYPE = re.compile(r"(?:struct|class|enum class|enum) (\w+)[^;(]*\{", re.DOTALL)
FUNCTION = re.compile(r"[A-Za-z][\w:<>,&*\s]*?\b(\w+)\(([^;{}]*?)\)(?: noexcept)? \{", re.DOTALL)
VALUE = re.compile(r"(?:constexpr|const|inline|static)\b[^=({;]*?\b(\w+)(?:\[\w*\])? ?(?:=|\{|\()")


def parameter_types(text):
    """The parameters without their names, defaults and namespaces, as far as a line of text tells."""
    plain = re.sub(r"\b\w+::", "", re.sub(r"\s+", " ", text)).strip()
    return ",".join(re.sub(r" ?=.*$| \w+$|(?<=[&*])\w+$", "", part.strip()) for part in plain.split(","))


def definitions(source):
    """(line, what) of each that an unnamed namespace of the source defines at its top level."""
    for block in UNNAMED.finditer(source):
        starts = re.finditer(r"^(?![\s/#}]|using\b|template\b|namespace\b)", block.group(1), re.MULTILINE)
        for start in starts:
            rest = block.group(1)[start.start():]
            line = source.count("\n", 0, block.start(1) + start.start()) + 1
            for kind, pattern in (("type", TYPE), ("function", FUNCTION), ("constant", VALUE)):
                found = pattern.match(rest)
                if not found:
                    continue
                types = f"({parameter_types(found.group(2))})" if kind == "function" else ""
                yield line, found.group(1) + types
                break


def breaches(sources):
    """Of the sources of one folder, {name: text}: (name, line, what, name of the other)."""
    first = {}
    for name, text in sorted(sources.items()):
        for line, what in definitions(text):
            if first.setdefault(what, name) != name:
                yield name, line, what, first[what]


def self_test():
    def found(*texts):
        return [what for _, _, what, _ in breaches({f"{i}.cpp": f"namespace {{\n{t}\n}}  // namespace\n" for i, t in enumerate(texts)})]
    bad = [
        ("double seconds(Nanos time) { return 1; }", "seconds(Nanos)"),
        ("Error io_error(const std::string& what,\n               int code) {\n  return {};\n}", "io_error(const string&,int)"),
        ("constexpr int kMost = 3;", "kMost"),
        ("constexpr Row kRows[] = {\n  {1},\n};", "kRows"),
        ("struct Row {\n  int a;\n};", "Row"),
        ("class A final : public B {\n};", "A"),
    ]
    for text, what in bad:
        if found(text, text) != [what]:
            return f"not found: {what}, but {found(text, text)}"
    good = [("void put(int a) {\n}", "void put(long a) {\n}"), ("int a() { return b(1); }", "int c() { return b(1); }"), ("using A = B;",) * 2]
    for texts in good:
        if found(*texts):
            return f"found: {found(*texts)}"
    return None


def main():
    problem = self_test()
    if problem or sys.argv[1:] == ["--self-test"]:
        print(f"private: self-test {'failed: ' + problem if problem else 'passed'}")
        return 1 if problem else 0
    folders = collections.defaultdict(dict)
    for top in TOPS:
        for path in (ROOT / top).rglob("*.cpp"):
            if not TEST.search(path.name):
                folders[path.parent][path.name] = path.read_text()
    count = 0
    for folder, sources in sorted(folders.items()):
        for name, line, what, other in breaches(sources):
            print(f"{folder.relative_to(ROOT)}/{name}:{line}: {what} is defined in {other} too; declare it once, in a header of the folder, or "
                  "give one of them another name")
            count += 1
    print(f"private: {sum(map(len, folders.values()))} sources, {count} complaints")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
