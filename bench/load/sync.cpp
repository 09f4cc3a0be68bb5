// payload_by_number: several streams of one connection, with one request after another on each. The first answer for a
// block is decoded. Later answers for it must have the same length; they are not decoded, so that the server is
// measured and not the client.
#include <map>

#include "load.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace bench {

using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::MutableBytes;
using libp2p::PeerId;
using libp2p::Stream;
using libp2p::runtime::AsioRuntime;
using libp2p::runtime::Task;
namespace codec = opstack::sync::wire;

namespace {

constexpr auto kSyncLimit = libp2p::Seconds(300);

struct Answered {
  std::uint64_t wire_bytes = 0;
  std::uint64_t bytes = 0;
};

struct SyncTally {
  std::uint64_t left = 0;
  std::uint64_t next = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::size_t running = 0;
  std::uint64_t bytes = 0;
  std::uint64_t wire_bytes = 0;
  std::uint64_t refused = 0;
  libp2p::Nanos interval{};
  std::vector<double> times;
  std::map<std::uint64_t, Answered> answered;  // by number

  std::uint64_t take_number() {
    const auto number = first + next++ % (last - first + 1);
    --left;
    return number;
  }
};

Task<void> ask(AsioRuntime& runtime, libp2p::Host& host, PeerId peer, std::string protocol, SyncTally& tally) {
  Bytes buffer(256 * 1024);
  while (tally.left > 0) {
    const std::uint64_t number = tally.take_number();
    const auto request = codec::encode_request(number);
    const auto known = tally.answered.find(number);
    const bool decode = known == tally.answered.end();
    const auto start = runtime.now().mono;
    std::vector<std::string> protocols;
    protocols.push_back(protocol);
    auto opened = co_await host.open_stream(peer, std::move(protocols));
    if (!opened) give_up("opening a stream: " + opened.error().message());
    Stream stream = std::move(*opened);
    const ByteView out(request);
    const auto sent = co_await stream.write(out);
    if (!sent) give_up("asking: " + sent.error().message());
    stream.close_write();
    codec::ResponseDecoder decoder;
    Answered answer;
    for (;;) {
      const MutableBytes into(buffer);
      const auto n = co_await stream.read_some(into);
      if (!n) give_up("reading: " + n.error().message());
      if (*n == 0) break;
      answer.wire_bytes += *n;
      if (!decode) continue;
      const auto pushed = decoder.push(ByteView(buffer).first(*n));
      if (!pushed) give_up("an answer is broken: " + pushed.error().message());
    }
    tally.wire_bytes += answer.wire_bytes;
    if (decode && !decoder.refused()) {
      answer.bytes = decoder.body().size();
      tally.answered.emplace(number, answer);
    } else if (decode || answer.wire_bytes == 1) {
      ++tally.refused;
    } else if (answer.wire_bytes != known->second.wire_bytes) {
      give_up("block " + std::to_string(number) + " has now " + std::to_string(answer.wire_bytes) + " bytes and had " +
              std::to_string(known->second.wire_bytes));
    } else {
      answer = known->second;
    }
    tally.bytes += answer.bytes;
    tally.times.push_back(seconds(runtime.now().mono - start));
    if (tally.interval > libp2p::Nanos(0)) {
      const auto slept = co_await libp2p::runtime::sleep_for(runtime, tally.interval);
      if (!slept) co_return;
    }
  }
  --tally.running;
}

}  // namespace

int sync(const Arguments& arguments) {
  AsioRuntime runtime(1);
  const Peer self(runtime, libp2p::crypto::KeyType::secp256k1);
  const PeerId peer = connect(runtime, *self.host, address_of(arguments.at(0)));
  SyncTally tally;
  tally.first = arguments.number("first", 1);
  tally.last = arguments.number("last", 1);
  tally.left = arguments.number("count", 1000);
  tally.interval = libp2p::Millis(static_cast<std::int64_t>(arguments.number("interval-ms", 0)));
  tally.running = arguments.number("streams", 8);
  libp2p::runtime::TaskScope scope(runtime);
  const auto start = runtime.now().mono;
  const auto protocol = codec::protocol_id(arguments.text("chain", "901"));
  for (auto left = tally.running; left > 0; --left) scope.spawn(ask(runtime, *self.host, peer, protocol, tally));
  if (!runtime.run_until([&tally] { return tally.running == 0; }, kSyncLimit)) give_up("not finished in five minutes");
  const double took = seconds(runtime.now().mono - start);
  print({{"count", tally.times.size()},
         {"refused", tally.refused},
         {"bytes", tally.bytes},
         {"wire_bytes", tally.wire_bytes},
         {"seconds", took},
         {"wire_bytes_per_second", static_cast<double>(tally.wire_bytes) / took},
         {"per_second", static_cast<double>(tally.times.size()) / took},
         {"p50_us", quantile(tally.times, 0.5) * 1e6},
         {"p99_us", quantile(tally.times, 0.99) * 1e6}});
  return 0;
}

}  // namespace bench
