// Any bytes as a record of scores, of a ban, of metadata, and any text as the key of a ban: what is taken is written to
// something that reads back as the same, and its second writing has the bytes of the first.
#include "opstack/reputation/json_leaves.hpp"
#include "opstack/reputation/records.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opstack::reputation;
using libp2p::equal;
using libp2p::fuzzing::require;

template <typename Decode, typename Encode>
void check(libp2p::ByteView input, Decode decode, Encode encode) {
  const auto entry = decode(input);
  if (!entry) return;
  const auto bytes = encode(*entry);
  const auto again = decode(bytes);
  require(again.has_value());
  require(equal(encode(*again), bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const libp2p::ByteView input(data, size);
  check(input, [](auto bytes) { return decode_scores(bytes); }, [](const auto& entry) { return encode_scores(entry); });
  check(input, [](auto bytes) { return decode_ban(bytes); }, [](const auto& entry) { return encode_ban(entry); });
  check(
      input, [](auto bytes) { return decode_metadata(bytes); },
      [](const auto& entry) { return encode_metadata(entry); });
  const auto text = libp2p::as_text(input);
  if (const auto ip = read_ip_ban_key(text)) require(ip_ban_key(*ip).value() == text);
  if (const auto key = ip_ban_key(text)) require(ip_ban_key(read_ip_ban_key(*key).value()).value() == *key);
  if (const auto leaves = JsonLeaves::from_text(text)) {
    double number = 0;
    (void)leaves->assign("a", number);
  }
  return 0;
}
