#!/usr/bin/env python3
"""Holds the include graph to the order of the layers, and the engines to their purity.

Layers depend downwards only. Folders of pure engines include nothing that touches the world: no Asio, threads, clocks,
entropy, files or logs. Prints each breach as file:line and ends with 1 when there is one.
"""

import pathlib
import re
import sys

LAYERS = ["base", "crypto", "multiformats", "wire", "protocols", "runtime", "network", "services", "opstack", "node"]

# What a layer may include besides itself. Everything below it, with two exceptions: the runtime knows nothing of
# protocols, and the protocols nothing of the runtime.
ALLOWED = {layer: set(LAYERS[:i]) for i, layer in enumerate(LAYERS)}
ALLOWED["runtime"] = {"base"}
ALLOWED["network"] = set(LAYERS[: LAYERS.index("network")])

# Pure: the layers up to the protocols, and these files of the layers above.
PURE_LAYERS = {"base", "multiformats", "wire", "protocols"}
PURE_FILES = [
    "network/connection_engine*",
    "opstack/chain/*", "opstack/payload/*",
    "opstack/gossip/topics*", "opstack/gossip/message_id*", "opstack/gossip/signing*", "opstack/gossip/block_rules*",
    "opstack/sync/sync_scheduler*", "opstack/sync/request_limiter*", "opstack/sync/unsafe_chain*",
]
IMPURE_INCLUDE = re.compile(
    r'#include\s+[<"](boost/asio|boost/beast|thread|mutex|shared_mutex|condition_variable|future|random|fstream|iostream|'
    r"filesystem|unistd\.h|sys/|netinet/|runtime/)")
IMPURE_CALL = re.compile(
    r"\b(system_clock|steady_clock|high_resolution_clock|random_device|getrandom|RAND_bytes|gettimeofday|clock_gettime|"
    r"std::this_thread)\b|\bstd::(cout|cerr)\b|[^_\w](printf|rand|time)\(")
INCLUDE = re.compile(r'#include\s+"([^"]+)"')
WHOLE_ASIO = re.compile(r"#include\s+[<\"]boost/asio\.hpp")


def is_test(path):
    return re.search(r"_(test|fuzz|bench)\.(cpp|hpp)$", path.name) is not None


def is_pure(relative):
    return relative.parts[0] in PURE_LAYERS or any(relative.match(pattern) for pattern in PURE_FILES)


def check_file(root, path):
    relative = path.relative_to(root)
    layer = relative.parts[0]
    if layer not in ALLOWED:
        yield 1, f"src/{layer} is no layer; the layers are {', '.join(LAYERS)}"
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if WHOLE_ASIO.search(line):
            yield number, "includes the whole of Asio; include the single headers that are used"
        included = INCLUDE.search(line)
        if included:
            target = included.group(1).split("/")[0]
            if target in ALLOWED and target != layer and target not in ALLOWED[layer] and not is_test(path):
                yield number, f"{layer} may not include {included.group(1)}"
            elif target not in ALLOWED and target != "testing" and not (path.parent / included.group(1)).exists():
                yield number, f'"{included.group(1)}" is not rooted at src/'
        if is_test(path) or not is_pure(relative):
            continue
        code = line.split("//")[0]
        if IMPURE_INCLUDE.search(line) or IMPURE_CALL.search(code):
            yield number, "a pure engine may not touch the world: " + line.strip()


def main():
    root = pathlib.Path(__file__).resolve().parent.parent / "src"
    files = sorted(p for p in root.rglob("*") if p.suffix in (".hpp", ".cpp"))
    breaches = [(p, n, text) for p in files for n, text in check_file(root, p)]
    for path, number, text in breaches:
        print(f"src/{path.relative_to(root)}:{number}: {text}")
    print(f"layers: {len(files)} files, {len(breaches)} breaches")
    return 1 if breaches or not files else 0


if __name__ == "__main__":
    sys.exit(main())
