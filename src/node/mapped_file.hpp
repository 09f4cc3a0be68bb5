// Files that are mapped into memory, as the kernel lists them. A page of one that was touched counts as this process's until it is
// given back, though the kernel could take it at any time; giving back loses nothing, the next touch maps it again.
// Thread: any. Linux only: elsewhere there is nothing to give back and nothing is counted.
#pragma once

#include <cstddef>
#include <filesystem>

namespace opp2p::node {

// Gives back what is mapped of `file`.
void release_mapped(const std::filesystem::path& file);
// Bytes of `file` that are mapped and count as ours.
std::size_t resident_bytes(const std::filesystem::path& file);

}  // namespace opp2p::node
