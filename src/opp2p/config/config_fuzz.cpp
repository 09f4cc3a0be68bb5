// Reads any text as a command line with one argument per line, and as each kind of value: switches, numbers, durations,
// sizes, keys, addresses, levels, forks, lists of peers and of origins. Also as the headers of a web page's request.
#include <algorithm>
#include <cstdlib>

#include "opp2p/config/config.hpp"
#include "opp2p/config/node_flags.hpp"
#include "opp2p/config/security_option.hpp"
#include "opp2p/log/log.hpp"
#include "opstack/testing/chain_builder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace opp2p;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  if (const auto time = parse_duration(text)) {
    require(parse_duration(duration_text(*time)).value() == *time);
  } else {
    require(!time.error().text().empty());
  }
  if (const auto number = parse_unsigned(text)) require(parse_unsigned(std::to_string(*number)).value() == *number);
  if (const auto number = parse_signed(text)) require(parse_signed(std::to_string(*number)).value() == *number);
  if (const auto number = parse_real(text); !number) require(!number.error().text().empty());
  if (const auto truth = parse_bool(text)) require(parse_bool(*truth ? "true" : "false").value() == *truth);
  if (const auto format = parse_log_format(text)) require(text.size() >= 4);
  if (!check_log_levels(text)) require(!parse_log_level(text));
  for (const auto type : {FlagType::text, FlagType::list, FlagType::checked})
    require(parse_flag(FlagSpec{"x", type, {}, nullptr}, text).has_value());
  // One line of arguments, and the same as a variable.
  std::vector<std::string> arguments;
  for (std::size_t begin = 0; begin <= text.size(); begin = std::min(text.find('\n', begin), text.size()) + 1)
    arguments.emplace_back(text.substr(begin, std::min(text.find('\n', begin), text.size()) - begin));
  for (const auto& environment : {Environment(), Environment{{"OP_NODE_RPC_PORT", std::string(text)}}}) {
    const auto line = read_node_command_line(arguments, environment);
    if (!line) require(!line.error().text().empty());
    if (line) require(!name_variables(text, line->given).empty() || text.empty());
  }
  if (const auto bytes = parse_byte_count(text); !bytes) require(!bytes.error().text().empty());
  if (const auto security = read_security_option(text)) require(!security->empty());
  if (const auto key = parse_key(text)) require(parse_key(libp2p::to_hex(*key)).value() == *key);
  if (const auto address = parse_address(text)) require(parse_address(libp2p::to_hex0x(*address)).value() == *address);
  if (const auto level = parse_log_level(text)) require(parse_log_level(to_string(*level)) == level);
  if (const auto fork = opstack::testing::block_fork_from_string(text)) require(to_string(*fork) == text);
  if (const auto blocks = parse_cidrs(text)) {
    std::string list;
    for (const auto& block : *blocks) list += (list.empty() ? "" : ",") + block.text();
    require(parse_cidrs(list).value() == *blocks);
  }
  if (const auto muxers = parse_muxers(text)) {
    std::string list;
    for (const auto& muxer : *muxers) list += (list.empty() ? "" : ",") + muxer;
    require(!muxers->empty() && parse_muxers(list).value() == *muxers);
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
