// Any text as each of the values that options hold: durations, sizes, keys, addresses, levels, forks, lists of peers
// and of origins; and as the headers of a web page's request.
#include <cstdlib>

#include "node/config.hpp"
#include "node/devnet/chain_builder.hpp"
#include "node/log.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace opp2p::node;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  if (const auto time = parse_duration(text); !time) require(!time.error().text().empty());
  if (const auto bytes = parse_byte_count(text); !bytes) require(!bytes.error().text().empty());
  if (const auto key = parse_key(text)) require(parse_key(libp2p::to_hex(*key)).value() == *key);
  if (const auto address = parse_address(text)) require(parse_address(libp2p::to_hex0x(*address)).value() == *address);
  if (const auto level = parse_log_level(text)) require(parse_log_level(to_string(*level)) == level);
  if (const auto fork = devnet::parse_fork(text)) require(devnet::to_string(*fork) == text);
  if (const auto blocks = parse_cidrs(text)) {
    std::string list;
    for (const auto& block : *blocks) list += (list.empty() ? "" : ",") + block.text();
    require(parse_cidrs(list).value() == *blocks);
  }
  if (const auto peers = parse_peers(text)) {
    std::string list;
    for (const auto& peer : *peers) {
      require(peer.peer_id().has_value());
      list += (list.empty() ? "" : ",") + peer.text();
    }
    require(parse_peers(list).value() == *peers);
  }
  const auto origins = BrowserRules::from_text(text);
  if (!origins) require(!origins.error().text().empty());
  BrowserHeaders page;
  page.origin = std::string(text);
  page.host = std::string(text);
  require(BrowserRules().refusal(page).has_value());
  if (origins && !text.empty()) static_cast<void>(origins->refusal(page));
  return 0;
}
