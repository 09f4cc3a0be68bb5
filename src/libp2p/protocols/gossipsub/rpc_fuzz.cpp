// Any bytes as an RPC, and as a stream of frames in pieces. What is decoded must encode to something that decodes to
// the same.

#include "libp2p/protocols/gossipsub/frame.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::gossipsub;
using libp2p::fuzzing::require;

void check_round_trip(ByteView bytes) {
  const RpcLimits limits;
  const auto rpc = decode_rpc(bytes, limits);
  if (!rpc) return;
  const Bytes encoded = encode_rpc(*rpc);
  const auto again = decode_rpc(encoded, limits);
  require(again.has_value());
  require(encode_rpc(*again) == encoded);
  for (const auto& message : rpc->publish) {
    const auto shared = SharedMessage::from_received(*rpc, message);
    require(equal(shared.data(), message.data.value_or(ByteView())));
    require(shared.frame_size() == (message.anonymous()
                                        ? message_frame_size(message.topic.value_or(""), shared.data().size())
                                        : message_frame_size(message)));
  }
}

void check_stream(ByteView stream, std::size_t step) {
  FrameReader reader(1 << 20);
  const RpcLimits limits;
  while (!stream.empty()) {
    ByteView piece = stream.first(std::min(step, stream.size()));
    stream = stream.subspan(piece.size());
    for (;;) {
      auto frame = reader.next(piece);
      reader.check();
      if (!frame) return;
      if (!*frame) break;
      const auto rpc = decode_frame(**frame, limits);
      if (!rpc) continue;
      for (const auto& message : rpc->publish) {
        const auto shared = SharedMessage::from_received(*rpc, message);
        const auto again = decode_frame(shared.frame(), limits);
        require(again.has_value() && again->publish.size() == 1);
        require(equal(again->publish[0].data.value_or(ByteView()), message.data.value_or(ByteView())));
        require(again->publish[0].topic.value_or("") == message.topic.value_or(""));
        require(again->publish[0].anonymous() == message.anonymous());
        // What is signed goes on byte for byte.
        require(message.anonymous() || encode_message(again->publish[0]) == encode_message(message));
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  check_round_trip(input);
  check_stream(input, size == 0 ? 1 : 1 + data[0] % 64);
  return 0;
}
