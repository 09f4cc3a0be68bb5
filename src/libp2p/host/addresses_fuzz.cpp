// Any text as what a network is configured with: a subnet, an address block, an IP address, an address to dial. What is
// taken has one canonical form, which is taken too and means the same; and a subnet holds the address that it is
// written with.
#include "libp2p/host/address_scope.hpp"
#include "libp2p/host/blocking_gater.hpp"
#include "libp2p/host/dial_target.hpp"
#include "libp2p/multiformats/cidr_set.hpp"
#include "libp2p/multiformats/ip_text.hpp"
#include "libp2p/transports/tcp/tcp_address.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using libp2p::ByteArray;
using libp2p::Cidr;
using libp2p::fuzzing::require;

bool bit(libp2p::ByteView ip, unsigned number) { return (ip[number / 8] >> (7 - number % 8) & 1) != 0; }

// The canonical text means the same; what the block contains is told by its leading bits, one by one.
void check_block(const Cidr& block) {
  const auto again = Cidr::from_text(block.text());
  require(again && *again == block && again->text() == block.text());
  require(block.contains(block.ip()) && Cidr::of(block.ip(), block.prefix()) == block);
  const auto bits = static_cast<unsigned>(8 * block.ip().size());
  libp2p::multiformats::CidrSet set;
  require(set.insert(block) && !set.insert(block));
  for (unsigned number = 0; number < bits; ++number) {
    libp2p::Bytes other = libp2p::to_bytes(block.ip());
    require(number < block.prefix() || !bit(other, number));
    other[number / 8] ^= static_cast<std::uint8_t>(0x80U >> (number % 8));
    // One bit may make an IPv4 address of an IPv6 one.
    const bool same_family = Cidr::single(other).is_ip4() == block.is_ip4();
    require(block.contains(other) == (same_family && number >= block.prefix()));
    require(set.covering(other).has_value() == block.contains(other));
  }
  require(set.covering(block.ip()) == block && set.erase(block) && !set.covering(block.ip()));
}

// A rule of an address denies it in each of its forms.
void check_rule(std::string_view text, std::string_view canonical) {
  libp2p::BlockingGater gater;
  require(gater.block_ip(text).value() && !gater.block_ip(canonical).value());
  std::vector<std::string> forms = {std::string(canonical)};
  if (canonical.find(':') == std::string_view::npos) {
    for (const char* const head : {"::ffff:", "64:ff9b::"}) forms.push_back(head + std::string(canonical));
  }
  for (const std::string& form : forms) {
    const auto remote = libp2p::ip_address(form).value();
    require(!gater.intercept_accept(remote) && !gater.permits({}, remote));
  }
  require(gater.unblock_ip(text).value() && gater.intercept_accept(libp2p::ip_address(canonical).value()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  using fuzzing::require;
  const std::string_view text = as_text(ByteView(data, size));
  if (const auto block = Cidr::from_text(text)) check_block(*block);
  if (const auto ip = canonical_ip(text)) {
    require(canonical_ip(*ip).value() == *ip && reach_of_ip(*ip) == reach_of_ip(text));
    check_rule(text, *ip);
    require(Cidr::from_text(text).value() == Cidr::single(multiformats::parse_ip(text).value()));
    require(tcp::endpoint_of(tcp::to_multiaddr({*ip, 9222}).value()).value().ip == *ip);
  }
  const auto address = Multiaddr::from_text(text);
  if (!address) return 0;
  const auto target = dial_target(*address);
  if (!target) return 0;
  // Whatever a name leads to, the address goes on as it did.
  const auto resolved = with_ip(target->address, "10.0.0.1");
  require(!target->name ||
          (resolved && with_ip(*resolved, "fd00::1").value().components().size() == resolved->components().size()));
  const auto end = tcp::endpoint_of(target->address);
  if (end && end->ip.find('%') == std::string::npos) {
    const auto again = tcp::endpoint_of(tcp::to_multiaddr(*end).value());
    require(again && *again == *end);
  }
  return 0;
}
