#!/usr/bin/env python3
"""Finds the coroutine code that g++ 12 miscompiles (docs/architecture.md, "Coroutines").

This compiler destroys some temporaries in a co_await expression twice. A statement with a co_await may therefore have no lambda, no braced
initialiser, no conditional operator and no second co_await. A structured binding may not be initialised by a co_await. A lambda with captures
may not be a coroutine. --self-test checks the rules with good and bad examples.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAMBDA = re.compile(r"(?<![\w\])])\[[^\[\]]*\]\s*(\([^()]*\)\s*)?(mutable\s*)?(->\s*[\w:<>, *&]+\s*)?\{")
CAPTURING_COROUTINE = re.compile(
    r"(?<![\w\])])\[\s*[^\]\s][^\]]*\]\s*(?:\([^)]*\))?\s*(?:mutable\s*)?->\s*(?:runtime::|libp2p::runtime::)?(?:Task|asio::awaitable|boost::asio::awaitable)\b")


def without_comments_and_strings(text):
    """The same text with comments and literals blanked, so that offsets stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    pattern = r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])'"
    return re.sub(pattern, blank, text, flags=re.S)


def statement_around(text, position):
    """From the end of the previous statement to the end of this one, with parentheses and braces balanced."""
    start = max(text.rfind(c, 0, position) for c in ";{}") + 1
    depth = 0
    for end in range(position, len(text)):
        if text[end] in "({[":
            depth += 1
        elif text[end] in ")}]":
            depth -= 1
            if depth < 0 and text[end] == "}":
                return text[start:end]
        elif text[end] == ";" and depth <= 0:
            return text[start:end]
        elif depth == 0 and text[end] == "{":
            return text[start:end]
    return text[start:]


def breaches(source):
    text = without_comments_and_strings(source)
    for match in re.finditer(r"\bco_await\b", text):
        statement = statement_around(text, match.start())
        # A condition or loop header: what follows its closing parenthesis is a statement of its own.
        header = re.match(r"\s*(?:else\s+)?(?:if|while|switch|for)\s*(?:constexpr\s*)?\(", statement)
        if header:
            depth, end = 1, header.end()
            while end < len(statement) and depth:
                depth += {"(": 1, ")": -1}.get(statement[end], 0)
                end += 1
            inside = statement[:end]
            statement = inside if "co_await" in inside else statement[end:]
        line = text.count("\n", 0, match.start()) + 1
        after = statement[statement.find("co_await"):]
        if LAMBDA.search(after):
            yield line, "a lambda inside a co_await expression"
        elif re.search(r"[(,]\s*\{|\w\s*\{[^}]*\}", after):
            yield line, "a braced initialiser inside a co_await expression"
        if statement.count("co_await") > 1:
            yield line, "two co_await in one statement"
        if re.search(r"\?(?!\?).*:", after.replace("::", "  "), re.S):
            yield line, "a conditional operator inside a co_await expression"
        if re.search(r"auto\s*&?&?\s*\[[^\]]*\]\s*=\s*co_await", statement):
            yield line, "a structured binding of a co_await"
    for match in CAPTURING_COROUTINE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, "a lambda with captures as a coroutine"


def self_test():
    bad = [
        "auto x = co_await f([s] { return s; });",
        "co_await f(Agg{text});",
        "co_await f({a, b});",
        "co_await f(co_await g());",
        "auto v = co_await (a ? b : c);",
        "auto [a, b] = co_await f();",
        "spawn([this]() -> Task<void> { co_return; });",
    ]
    good = [
        "auto x = co_await f(name);",
        "if (auto r = co_await f(name); !r) { co_return; }",
        "const auto n = co_await stream.read_some(MutableBytes(buffer, 5));",
        "while (co_await f(x)) { g({1, 2}); }",
        "// co_await f({a, b});",
        "co_await std::move(task);",
    ]
    failed = [s for s in bad if not list(breaches(s))] + [s for s in good if list(breaches(s))]
    for statement in failed:
        print("judged wrongly:", statement)
    return failed


def main():
    if self_test():
        return 1
    files = sorted(p for folder in ("src", "apps", "tests", "examples", "bench") for p in (ROOT / folder).rglob("*.[ch]pp"))
    found = [(p, n, text) for p in files for n, text in breaches(p.read_text())]
    for path, number, text in found:
        print(f"{path.relative_to(ROOT)}:{number}: {text}")
    print(f"coroutines: {len(files)} files, {len(found)} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
