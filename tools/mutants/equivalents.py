"""Changes that nothing can tell from the code as it stands, each with the reason: (file, expression, changed): why."""

EQUIVALENTS = {
    ("src/libp2p/protocols/gossipsub/backoffs.cpp", "a.second < b.second", "a.second <= b.second"):
        "of two that end at the same time either may go",
}
