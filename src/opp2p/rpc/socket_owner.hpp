// Whose program listens at an address of this machine, by the kernel's table of sockets (/proc/net/tcp, tcp6). For
// command lines that send a secret: another user's program may have taken the port of a node that has ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace opp2p {

// The user ids of the listeners at the address, or at all addresses, with the port, as one of the two tables names
// them: the first that is neither root nor `expected`, else nothing. Lines that are none are passed over.
std::optional<std::uint32_t> stranger_in(std::string_view table, const std::string& ip, std::uint16_t port,
                                         std::uint32_t expected);
// The same of this machine's tables. Nothing either when they cannot be read, or when no socket of this network
// namespace listens there.
std::optional<std::uint32_t> stranger_at(const std::string& ip, std::uint16_t port, std::uint32_t expected);

}  // namespace opp2p
