// What the histories of peers and blocks cost on the network thread: a copy of a message, which is the most frequent
// event, and a block that is judged. 1,024 peers and 1,024 blocks are remembered.
#include <benchmark/benchmark.h>

#include "opp2p/observe/block_history.hpp"
#include "opp2p/observe/peer_history.hpp"

namespace {

using namespace opp2p;
using libp2p::PeerId;

PeerId numbered_peer(std::uint32_t number) {
  libp2p::Bytes id{0x12, 0x20};
  id.resize(34);
  libp2p::store_be32(id.data() + 30, number * 2654435761U);
  return PeerId::from_bytes(id).value();
}

libp2p::gossipsub::MessageId numbered_message(std::uint32_t number) {
  libp2p::Bytes id(20);
  libp2p::store_be32(id.data(), number * 2654435761U);
  return libp2p::gossipsub::MessageId::from(id).value();
}

struct Remembered {
  Remembered() {
    for (std::uint32_t n = 0; n < 1024; ++n) {
      peers.push_back(numbered_peer(n));
      libp2p::ConnectionInfo connection;
      connection.peer = peers.back();
      tell(libp2p::ConnectionOpened{connection});
      judge(n);
    }
  }
  void tell(const NodeEvent& event) {
    peer_history.on(event, now);
    block_history.on(event, now);
  }
  void judge(std::uint32_t number) {
    auto envelope = std::make_shared<opstack::payload::Envelope>();
    envelope->payload.block_number = number;
    libp2p::store_be32(envelope->payload.block_hash.data(), number);
    opstack::rules::Outcome outcome;
    outcome.verdict = opstack::rules::Verdict::accept;
    outcome.reason = opstack::rules::Reason::valid;
    outcome.envelope = std::move(envelope);
    const opstack::gossip::BlockVerdict verdict{topic,
                                                opstack::rules::Version::v4,
                                                numbered_message(number),
                                                peers[number % peers.size()],
                                                false,
                                                outcome,
                                                1000,
                                                {}};
    tell(BlockJudged{verdict, signer});
  }

  const std::string topic = "/optimism/10/3/blocks";
  const std::optional<opstack::rules::Address> signer;
  libp2p::Now now{libp2p::MonoTime(libp2p::Seconds(1)), libp2p::from_unix_seconds(1'760'000'000)};
  std::vector<PeerId> peers;
  PeerHistory peer_history{{[](const PeerId&) { return false; }, [](const PeerId&) { return std::string(); }}};
  BlockHistory block_history;
};

void copy_is_noted(benchmark::State& state) {
  Remembered known;
  std::uint32_t n = 0;
  for (auto _ : state) {
    const auto message = numbered_message(n % 1024);
    known.tell(opstack::gossip::CopyReceived{known.peers[n % 1024], message});
    ++n;
  }
}
BENCHMARK(copy_is_noted);

void block_is_noted(benchmark::State& state) {
  Remembered known;
  std::uint32_t n = 1024;
  for (auto _ : state) known.judge(n++);
}
BENCHMARK(block_is_noted);

}  // namespace
