#!/usr/bin/env python3
"""Checks that every decoder has a fuzz target, every target a corpus, and every corpus a target.

A decoder is a function that a header of src declares as `Result<…> NAME(` with bytes or text as an argument, where NAME is from_…, parse_…,
decode…, read_… or open. It counts as fuzzed when a *_fuzz.cpp names it, with its class where the name alone is ambiguous. Each breach is
printed. The exit code is 1 if there is one.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
CORPUS = ROOT / "fuzz" / "corpus"
DECODER = re.compile(
    r"\b(?:Result|std::optional)<[^;()]*>\s+((?:from|parse|decode|read|open)(?:_\w+)?)"
    r"\((?:[^;()]*\b)?(?:ByteView|std::string_view|SharedBytes|json::value)\b")
SCOPE = re.compile(r"^(?:class|struct) (\w+)[^;]*\{|^\};?", re.MULTILINE)

# Decoders that no target names itself, and why.
REACHED = {
    "ChaCha20Poly1305::open": "by Transport::open_all",
    "FrameReader::read_prefix": "by FrameReader::next",
    "HandshakeState::read_message": "by Handshake::on_bytes",
    "PeerRecord::open_unmatched": "by PeerRecord::open",
    "RollupConfig::from_json": "by RollupConfig::from_text",
    "SignedEnvelope::open": "by PeerRecord::open",
    "multihash_from_peer_text": "by PeerId::from_text",
    "decode_message": "by decode_rpc: it reads a pubsub Message on its own, for vectors",
    "read_meta": "by check_lmdb_file",
    "TreePage::read": "by check_lmdb_file",
    "TreePage::read_entry": "by check_lmdb_file",
    "read_overflow": "by check_lmdb_file",
    "PublicKey::from_raw": "by PublicKey::from_protobuf",
    "PrivateKey::from_raw": "by PrivateKey::from_protobuf",
    "parse_secret": "by PrivateKey::from_protobuf",
    "decode_block": "by judge_answer",
    "read_scores": "by decode_scores and decode_ban_reason",
}


def decoders(header):
    """(line, name) of each decoder, the name with its class where it stands in one."""
    text = header.read_text()
    scopes = [(found.start(), found.group(1)) for found in SCOPE.finditer(text)]
    for found in DECODER.finditer(text):
        scope = next((name for start, name in reversed(scopes) if start < found.start()), None)
        name = found.group(1)
        yield text.count("\n", 0, found.start()) + 1, f"{scope}::{name}" if scope else name


def main():
    targets = {path.name.removesuffix("_fuzz.cpp"): path for path in [*SRC.rglob("*_fuzz.cpp"), *(ROOT / "fuzz").glob("*_fuzz.cpp")]}
    named = "\n".join(path.read_text() for path in targets.values())
    headers = sorted(path for path in SRC.rglob("*.hpp") if not re.search(r"_(test|fixture)\w*\.hpp$", path.name))
    breaches, count = [], 0
    for header in headers:
        for line, name in decoders(header):
            count += 1
            if name not in REACHED and not re.search(rf"\b{re.escape(name)}\(", named):
                breaches.append(f"{header.relative_to(ROOT)}:{line}: no fuzz target names the decoder {name}")
    corpora = {path.name: path for path in CORPUS.iterdir() if path.is_dir()}
    for name in sorted(targets):
        if name not in corpora or not any(corpora[name].iterdir()):
            breaches.append(f"{targets[name].relative_to(ROOT)}: fuzz/corpus/{name} is empty; its seeds are made in {name}_corpus.cpp beside it")
    for name in sorted(corpora.keys() - targets.keys()):
        breaches.append(f"fuzz/corpus/{name}: there is no target of this name")
    for breach in breaches:
        print(breach)
    print(f"fuzz: {len(targets)} targets, {count} decoders, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
