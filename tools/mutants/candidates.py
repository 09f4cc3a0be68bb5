"""Finds where production code may be changed, and writes a tree that holds all chosen changes at once.

A change is a switch in the source: `(opp2p_mutant(7) ? (a <= b) : (a < b))`. The tree is built once; the environment variable
OPP2P_MUTANT says which change is on. So a mutant costs a run of the tests, not a build.
"""

import dataclasses
import re

# Each: what it is called, what it finds, what stands there instead.
RULES = [
    ("boundary", re.compile(r"(?<=[\w)\]]) < (?=[\w(*-])"), " <= "),
    ("boundary", re.compile(r"(?<=[\w)\]]) <= (?=[\w(*-])"), " < "),
    ("boundary", re.compile(r"(?<=[\w)\]]) > (?=[\w(*-])"), " >= "),
    ("boundary", re.compile(r"(?<=[\w)\]]) >= (?=[\w(*-])"), " > "),
    ("equality", re.compile(r" == "), " != "),
    ("equality", re.compile(r" != "), " == "),
    ("connective", re.compile(r" && "), " || "),
    ("connective", re.compile(r" \|\| "), " && "),
    ("negation", re.compile(r"(?<=[ (])!(?=[\w(])"), ""),
    ("negation", re.compile(r"(?<=if \()(?=[a-z_]+[\w.>-]*\()"), None),  # the whole condition
    ("sign", re.compile(r"(?<=[\w)\]]) \+ (?=[\w(])"), " - "),
    ("sign", re.compile(r"(?<=[\w)\]]) - (?=[\w(])"), " + "),
    ("sign", re.compile(r" \+= "), " -= "),
    ("sign", re.compile(r" -= "), " += "),
    ("constant", re.compile(r"\btrue\b"), "false"),
    ("constant", re.compile(r"\bfalse\b"), "true"),
]
OPENING, CLOSING = "([{", ")]}"
# An expression begins behind one of these words; behind `if (…)` and its like a statement does.
WORDS = re.compile(r"\b(return|co_return|co_yield|else|do|case|throw)\s*$")
HEADS = re.compile(r"\b(if|while|for|switch|if constexpr)\s*$")
# Text in which nothing is changed: what only speaks, what the compiler decides, and assertions, which are off here.
SKIPPED_LINE = re.compile(r"^\s*(#|//|namespace\b|using\b|template\b|static_assert|(inline |static )*constexpr\b|friend\b|enum\b|OPP2P_TRY\w*\()")
SKIPPED_CALL = re.compile(r"\b(OPP2P_ASSERT|OPP2P_DEBUG_ASSERT|OPP2P_CHECK|requires|noexcept|decltype|static_assert|alignas|concept|if constexpr)\b[^(;{]*\(")
SKIPPED_BODY = re.compile(r"\bcheck\w*\(\) const \{|\bconsteval\b|\boperator==\(|= default")


@dataclasses.dataclass(frozen=True)
class Change:
    file: str
    line: int  # counted from 1
    rule: str
    begin: int  # of the expression, in the file's text
    end: int
    expression: str
    changed: str

    def key(self):
        return (self.file, " ".join(self.expression.split()), " ".join(self.changed.split()))

    def __str__(self):
        return f"{self.file}:{self.line} {' '.join(self.expression.split())}  ->  {' '.join(self.changed.split())}"


def blanked(text):
    """The text with comments and literals replaced by as many spaces or zeros, so that positions stay."""
    def blank(match):
        filler = "\0" if match.group(0)[0] in "\"'R" else " "
        return re.sub(r"[^\n]", filler, match.group(0))
    pattern = r'R"\((?:.|\n)*?\)"|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)\'|//[^\n]*|/\*(?:.|\n)*?\*/'
    return re.sub(pattern, blank, text)


def closing_of(code, at):
    """The position of the bracket that closes the one at `at`."""
    depth = 0
    for here in range(at, len(code)):
        if code[here] in OPENING:
            depth += 1
        elif code[here] in CLOSING:
            depth -= 1
            if depth == 0:
                return here
    return len(code)


def skipped(code):
    """Ranges of the text in which nothing is changed."""
    for pattern, opening in ((SKIPPED_CALL, "("), (SKIPPED_BODY, "{")):
        for found in pattern.finditer(code):
            at = code.find(opening, found.end() - 1 if opening == "(" else found.start())
            if at >= 0:
                yield found.start(), closing_of(code, at)
    position = 0
    for line in code.splitlines(keepends=True):
        if SKIPPED_LINE.match(line):
            statement = code.find(";", position)
            yield position, max(position + len(line), statement if "constexpr" in line or "OPP2P_TRY" in line else 0)
        position += len(line)


def begin_of(code, at):
    """Where the expression around `at` begins: behind the nearest delimiter on its level."""
    depth, here = 0, at - 1
    while here >= 0:
        c = code[here]
        if c in CLOSING:
            depth += 1
        elif c in OPENING:
            if depth == 0:
                return here + 1
            depth -= 1
            if depth == 0 and c == "(" and HEADS.search(code[max(0, here - 14):here]):
                return closing_of(code, here) + 1
            if depth == 0 and c == "{":
                return closing_of(code, here) + 1
        elif depth == 0:
            if c in ",;?" or c == ":" and code[here - 1] != ":" and code[here + 1] != ":":
                return here + 1
            if c == "=" and code[here - 1] not in "=!<>+-*/|&^%" and code[here + 1] != "=":
                return here + 1
            if c.isspace() and (found := WORDS.search(code[max(0, here - 10):here])) and found:
                return here + 1
        here -= 1
    return None


def end_of(code, at):
    depth, here = 0, at
    while here < len(code):
        c = code[here]
        if c in OPENING:
            depth += 1
        elif c in CLOSING:
            if depth == 0:
                return here
            depth -= 1
        elif depth == 0:
            if c in ",;?" or c == ":" and code[here - 1] != ":" and code[here + 1] != ":":
                return here
        here += 1
    return None


def candidates(file, text):
    """Every change that the rules allow in the file."""
    code = blanked(text)
    ranges = list(skipped(code))
    for rule, pattern, instead in RULES:
        for found in pattern.finditer(code):
            if any(begin <= found.start() <= end for begin, end in ranges):
                continue
            begin, end = begin_of(code, found.start()), end_of(code, found.end())
            if begin is None or end is None:
                continue
            begin += len(code[begin:end]) - len(code[begin:end].lstrip())
            expression = text[begin:end].rstrip()
            if "co_await" in expression or "auto " in code[begin:end] or found.start() < begin:
                continue
            if found.group(0):
                changed = expression[:found.start() - begin] + instead + expression[found.end() - begin:]
            else:
                changed = f"!({expression})"
            yield Change(file, text.count("\n", 0, found.start()) + 1, rule, begin, begin + len(expression), expression, changed)


def with_switches(text, changes):
    """The text with every (number, change) as a switch, on the same lines as before. Changes do not overlap."""
    for number, change in sorted(changes, key=lambda one: -one[1].begin):
        on_one_line = " ".join(re.sub(r"//[^\n]*", "", change.changed).split("\n"))
        # What only converts to bool when it is asked to would take the other side, a bool, for a value of its own type.
        cast = "static_cast<bool>" if change.rule == "negation" else ""
        switch = f"(opp2p_mutant({number}) ? {cast}({on_one_line}) : {cast}({change.expression}))"
        text = text[:change.begin] + switch + text[change.end:]
    return text


HEADER = """#pragma once
#ifdef __cplusplus
#include <cstdlib>
#include <type_traits>
inline const int opp2p_chosen_mutant = [] {
  const char* text = std::getenv("OPP2P_MUTANT");
  return text != nullptr ? std::atoi(text) : 0;
}();
constexpr bool opp2p_mutant(int number) {
  if (std::is_constant_evaluated()) return false;
  return opp2p_chosen_mutant == number;
}
#endif
"""
