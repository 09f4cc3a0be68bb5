// Any text as what a network is configured with: a subnet, an address block, an IP address, an address to dial. What is
// taken has one canonical form, which is taken too and means the same; and a subnet holds the address that it is
// written with.
#include "libp2p/host/address_scope.hpp"
#include "libp2p/host/dial_target.hpp"
#include "libp2p/host/gater.hpp"
#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/transports/tcp/tcp_address.hpp"
#include "testing/fuzz_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  using fuzzing::require;
  const std::string_view text = as_text(ByteView(data, size));
  if (const auto subnet = Subnet::from_text(text)) {
    const auto again = Subnet::from_text(subnet->text());
    require(again && *again == *subnet && again->text() == subnet->text());
    require(subnet->contains(subnet->text().substr(0, subnet->text().find('/'))));
  }
  if (const auto block = Cidr::from_text(text)) {
    const auto again = Cidr::from_text(block->text());
    require(again && *again == *block && again->text() == block->text());
    const std::string written = block->text();
    const auto host = Cidr::from_text(std::string_view(written).substr(0, written.find('/')));
    require(host && host->text().starts_with(written.substr(0, written.find('/'))));
  }
  if (const auto ip = canonical_ip(text)) {
    require(canonical_ip(*ip).value() == *ip && reach_of_ip(*ip) == reach_of_ip(text));
    for (const char* const whole : {"/32", "/128"}) {
      if (const auto subnet = Subnet::from_text(*ip + whole)) require(subnet->contains(*ip) && subnet->contains(text));
    }
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
