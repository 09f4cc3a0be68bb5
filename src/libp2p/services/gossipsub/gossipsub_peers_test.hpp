// For the tests of the GossipSub service: a node's gossip with what it heard, and a peer that speaks the protocol by
// hand.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "libp2p/crypto/hash.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "libp2p/testing/sim_hosts.hpp"

namespace libp2p {

using gossipsub::LocalCheck;
using gossipsub::ValidationResult;
using libp2p::Stream;
using runtime::Task;

inline constexpr std::string_view kTopic = "blocks";

inline gossipsub::MessageId id_of(std::string_view topic, ByteView data) {
  crypto::Sha256 hash;
  hash.update(as_bytes(topic)).update(data);
  return *gossipsub::MessageId::from(ByteView(hash.finish()).first(20));
}

inline GossipsubConfig gossip_config() {
  GossipsubConfig config;
  config.router.message_id = id_of;
  return config;
}

// A node's gossip with what it heard.
struct Gossiper final {
  // `judge` outlives this; without one all peers have the score zero.
  explicit Gossiper(libp2p::Host& h, GossipsubConfig config = gossip_config(), gossipsub::PeerScores* judge = nullptr)
      : host(h), service(std::make_unique<GossipsubService>(h, std::move(config), judge != nullptr ? *judge : scores)) {
    events = service->subscribe([this](const GossipsubEvent& event) {
      if (const auto* trace = std::get_if<gossipsub::Trace>(&event)) note(*trace);
      const auto* trouble = std::get_if<GossipsubStreamTrouble>(&event);
      if (trouble != nullptr) troubles.push_back(std::string(trouble->what) + ": " + trouble->why.message());
    });
  }

  ~Gossiper() {
    if (service == nullptr) return;
    service->check();
    host.check();
  }
  Gossiper(const Gossiper&) = delete;
  Gossiper& operator=(const Gossiper&) = delete;

  void join(GossipsubService::Validator validator = nullptr) {
    service
        ->join(std::string(kTopic), std::move(validator),
               [this](const gossipsub::Deliver& message) {
                 heard.push_back(std::string(as_text(message.data.view())));
                 from.push_back(message.from);
               })
        .value();
  }
  Result<gossipsub::Publication> publish(std::string_view text, LocalCheck check = LocalCheck::already_valid) {
    return service->publish(kTopic, as_bytes(text), check);
  }
  std::size_t count(std::string_view text) const {
    return static_cast<std::size_t>(std::count(heard.begin(), heard.end(), text));
  }

  // Those that speak of scores.
  void note(const gossipsub::Trace& trace) {
    const bool pruned = trace.kind == gossipsub::TraceKind::prune && trace.prune == gossipsub::PruneCause::score;
    if (pruned || trace.kind == gossipsub::TraceKind::graylisted) judged.push_back(trace);
  }
  std::size_t count(gossipsub::TraceKind kind, const PeerId& peer, double score) const {
    return static_cast<std::size_t>(std::count_if(judged.begin(), judged.end(), [&](const gossipsub::Trace& trace) {
      return trace.kind == kind && trace.peer == peer && trace.score == score;
    }));
  }

  libp2p::Host& host;
  gossipsub::NeutralScores scores;
  std::unique_ptr<GossipsubService> service;
  std::vector<std::string> heard;
  std::vector<PeerId> from;
  std::vector<std::string> troubles;
  std::vector<gossipsub::Trace> judged;
  Subscription events;
};

// A peer that speaks the protocol by hand.
class RawGossiper {
 public:
  explicit RawGossiper(libp2p::Host& host) : host_(host) {
    for (const std::string_view id : gossipsub::protocol_ids()) {
      host_.set_stream_handler(std::string(id), [this](Stream stream) {
        ++streams_accepted;
        if (resets_at_once) stream.reset();
        accepted.push_back(std::move(stream));
        return done();
      });
    }
  }
  ~RawGossiper() {
    for (const std::string_view id : gossipsub::protocol_ids()) host_.remove_stream_handler(id);
  }

  static Task<void> done() { co_return; }
  static Task<Result<Stream>> open(libp2p::Host& host, PeerId peer) {
    std::vector<std::string> protocols;
    protocols.emplace_back("/meshsub/1.1.0");
    return host.open_stream(std::move(peer), std::move(protocols));
  }
  static Task<Result<void>> write(Stream& stream, Bytes bytes) {
    const Result<void> wrote = co_await stream.write(bytes);
    co_return wrote;
  }
  static Bytes subscription(std::string_view topic) {
    gossipsub::Rpc rpc;
    gossipsub::SubOpts subscribe;
    subscribe.subscribe = true;
    subscribe.topic = topic;
    rpc.subscriptions.push_back(subscribe);
    return *gossipsub::encode_frame(rpc);
  }

  std::vector<Stream> accepted;
  std::size_t streams_accepted = 0;
  bool resets_at_once = false;  // each stream that it accepts

 private:
  libp2p::Host& host_;
};

}  // namespace libp2p
