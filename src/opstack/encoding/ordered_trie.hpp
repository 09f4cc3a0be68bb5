// The root of the Merkle-Patricia trie that maps RLP(index) to the index-th value of a list: how a header commits to
// its transactions and withdrawals. The trie is not stored: only one reference (at most 33 bytes) for each leaf and
// node is kept, and which node is whose child. The order of the keys is known in advance, so the leaves are hashed
// first, in one pass, then the nodes of one height after the other, many at a time in the lanes of keccak_many.hpp.
// Time and memory are linear in the list. An empty value counts as absent, as in geth.
//
// A pure function. Owner: none. Thread: any. Source: Ethereum Yellow Paper, appendix D and section 4.4.
#pragma once

#include <span>

#include "libp2p/base/bytes.hpp"
#include "libp2p/crypto/keccak_many.hpp"

namespace opstack::encoding {

// libp2p::crypto::keccak256 of the RLP of nothing: the root of the empty trie.
inline constexpr libp2p::crypto::Hash256 kEmptyTrieRoot = {
    0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e,
    0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21};

// `beside` is hashed beside the lanes as far as they go; null where nothing else is to be hashed.
libp2p::crypto::Hash256 ordered_trie_root(std::span<const libp2p::ByteView> values,
                                          libp2p::crypto::KeccakBeside* beside = nullptr);

}  // namespace opstack::encoding
