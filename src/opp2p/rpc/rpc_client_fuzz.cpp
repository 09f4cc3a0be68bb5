// Any bytes as the answer of a server: what is taken for a success has a result, and an error has a text without
// control characters.
#include "libp2p/base/peer_text.hpp"
#include "opp2p/rpc/rpc_client.hpp"
#include "testing/fuzz_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using libp2p::fuzzing::require;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  require(!opp2p::read_rpc_answer(500, body, "it"));
  const auto answer = opp2p::read_rpc_answer(200, body, "it");
  if (answer) {
    require(body.find("result") != std::string_view::npos || body.find('\\') != std::string_view::npos);
    return 0;
  }
  require(answer.error().text() == libp2p::peer_text(answer.error().text(), 4096));
  return 0;
}
