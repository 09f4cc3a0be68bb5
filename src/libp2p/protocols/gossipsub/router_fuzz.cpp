// A script of random events on one router: peers that come and go, RPCs good and bad, verdicts in any order, time.
// After every event what must always hold is checked, and at the end that nothing stays of the peers.
#include <map>
#include <set>

#include "libp2p/crypto/hash.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::gossipsub;
using libp2p::fuzzing::require;

const std::string kTopics[] = {"a", "b", "c"};

PeerId peer_id(std::uint8_t n) { return PeerId::from_bytes(Bytes{0x00, 0x01, n}).value(); }

// As the router names what has no author.
MessageId id_of(ByteView data) { return *MessageId::from(crypto::sha256(data)); }

// The script: bytes that run out as zeros.
class Script {
 public:
  explicit Script(ByteView bytes) : bytes_(bytes) {}
  bool done() const { return at_ >= bytes_.size(); }
  std::uint8_t next() { return done() ? std::uint8_t{0} : bytes_[at_++]; }
  ByteView take(std::size_t count) {
    const ByteView out = bytes_.subspan(std::min(at_, bytes_.size()))
                             .first(std::min(count, bytes_.size() - std::min(at_, bytes_.size())));
    at_ += out.size();
    return out;
  }

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
};

class ScriptedScores final : public PeerScores {
 public:
  double score(const PeerId& peer) const override {
    const auto found = values.find(peer);
    return found == values.end() ? 0 : found->second;
  }
  std::map<PeerId, double> values;
};

class AnySignatures final : public Signatures {
 public:
  const PeerId& self() const override { return self_; }
  Result<Authorship> sign(std::string_view, ByteView) override {
    return Authorship{to_bytes(self_.bytes()), Bytes(8, ++number_), Bytes{1}, {}};
  }
  Result<void> verify(const Message& message) const override {
    if (message.signature->empty()) return Error(Errc::mismatch, "empty");
    return {};
  }

 private:
  PeerId self_ = peer_id(200);
  std::uint8_t number_ = 0;
};

class Run {
 public:
  explicit Run(ByteView bytes) : script_(bytes), rng_(1), router_(config(), rng_, scores_, now_) {}

  void play() {
    while (!script_.done()) {
      step();
      settle();
    }
    for (const auto request : std::set<RequestId>(requests_)) verdict(request, ValidationResult::ignore);
    for (std::uint8_t n = 0; n < 8; ++n) router_.remove_peer(peer_id(n), now_);
    settle();
    const auto sizes = router_.sizes();
    require(sizes.peers == 0 && sizes.subscriptions == 0 && sizes.mesh_links == 0 && sizes.fanout_links == 0);
    require(sizes.outbox_partials == 0 && sizes.partial_bytes == 0);
    require(sizes.promises == 0 && sizes.outbox_items == 0 && sizes.validating == 0 && sizes.validating_bytes == 0);
  }

 private:
  Router::Config config() {
    Params params;
    params.mesh.degree = 3;
    params.mesh.low = 2;
    params.mesh.high = 5;
    params.mesh.outbound = 1;
    params.outbox.max_items = 4;
    params.validation.max_items = 6;
    params.seen_items = 16;
    params.admission.refusal_burst = 4;
    params.admission.max_refusers = 3;
    params.gossip.cache_bytes = 400;
    params.max_topics_per_peer = 2;
    params.direct_connect_ticks = 3;
    params.max_blacklisted = 2;
    params.mesh.peer_exchange = true;
    params.thresholds.accept_px = 5;
    params.partial = {.enabled = true,
                      .group_ttl = 3,
                      .max_groups_of_peers = 4,
                      .max_groups_of_peer = 2,
                      .max_own_groups = 2,
                      .max_group_id = 8,
                      .max_metadata = 16,
                      .max_metadata_bytes = 60,
                      .max_rpcs = 6,
                      .max_outbox_items = 3,
                      .max_outbox_bytes = 80};
    // Topic "b" takes signed messages too, whose authors name them.
    Router::Config config{params, nullptr, [](std::string_view topic) { return topic != "c"; }, nullptr, {peer_id(5)}};
    config.policies.topics["b"] = SignaturePolicy::lax_sign;
    config.signatures = &signatures_;
    return config;
  }

  // Two of the peers share an address, two a /48, the others have none.
  static AddressBlocks blocks_of(const PeerId& peer) {
    const std::uint8_t n = peer.bytes().back();
    if (n < 2) return {{10, 0, 0, 1}, {}};
    if (n < 4) return {{0x20, 1, 0xd, 0xb8, 0, 0, n}, {0x20, 1, 0xd, 0xb8, 0, 0}};
    return {};
  }
  void verdict(RequestId request, ValidationResult verdict) {
    const auto blame = request % 4 == 0 ? Router::Blame::nobody : Router::Blame::sender;
    require(router_.on_validation(request, verdict, now_, blame));
    requests_.erase(request);
  }

  void step() {
    const std::uint8_t what = script_.next();
    const PeerId peer = peer_id(script_.next() % 8);
    const std::string& topic = kTopics[script_.next() % 3];
    switch (what % 12) {
      case 0: {
        const auto direction = static_cast<Direction>(script_.next() % 2);
        return router_.add_peer(peer, static_cast<ProtocolVersion>(script_.next() % 6), direction, now_,
                                blocks_of(peer));
      }
      case 1:
        switch (script_.next() % 8) {
          case 0: return router_.blacklist(peer, now_, Millis(script_.next() * 100));
          case 1: return router_.blacklist(peer, now_);
          case 2: return router_.pardon(peer);
          case 3: static_cast<void>(router_.relay(topic, now_)); return;
          case 4: return router_.stop_relaying(topic, now_);
          case 5: scores_.values[peer] = 10 - script_.next() % 64; return;
          case 6: return partial_step(peer, topic);
          default: return router_.remove_peer(peer, now_);
        }
      case 2: return router_.forget_topics(peer, now_);
      case 3: static_cast<void>(router_.subscribe(topic, now_)); return;
      case 4: return router_.unsubscribe(topic, now_);
      case 5: {
        const auto check = static_cast<LocalCheck>(script_.next() % 2);
        static_cast<void>(router_.publish(topic, script_.take(script_.next() % 32), check, now_));
        return;
      }
      case 6:
        if (!requests_.empty()) verdict(*requests_.begin(), static_cast<ValidationResult>(script_.next() % 5));
        return;
      case 7: now_ = now_ + Millis(script_.next() * 20); return router_.on_timeout(now_);
      case 8: return pull(peer);
      case 9: {  // raw bytes as an RPC
        const auto rpc = decode_rpc(script_.take(script_.next()), RpcLimits{});
        if (rpc) router_.on_rpc(peer, *rpc, now_);
        return;
      }
      default: return lawful_rpc(peer, topic);
    }
  }

  void partial_step(const PeerId& peer, const std::string& topic) {
    const std::uint8_t what = script_.next();
    switch (what % 4) {
      case 0: static_cast<void>(router_.set_partial(topic, static_cast<PartialUse>(script_.next() % 3), now_)); return;
      case 1: return router_.judge_partial(peer, topic, static_cast<Router::PartialVerdict>(what >> 2 & 1), now_);
      case 2: {  // the stream that we write to is a new one
        if (router_.subscribers(topic).empty()) return;
        const Router::Heard heard = router_.heard(peer);
        router_.remove_peer(peer, now_);
        router_.add_peer(peer, static_cast<ProtocolVersion>(script_.next() % 6), Direction::inbound, now_,
                         blocks_of(peer));
        return router_.restore(peer, heard, now_);
      }
      default: {
        const Bytes group = to_bytes(script_.take(script_.next() % 10));
        const Bytes message = to_bytes(script_.take(script_.next() % 40)),
                    told = to_bytes(script_.take(what >> 2 & 31));
        std::size_t asked = 0;
        const auto parts = [&](const PartialPeer&) {
          ++asked;
          return PartialParts{message, told, asked % 2 == 0 ? std::optional(group) : std::nullopt};
        };
        const auto sent = router_.publish_partial(topic, group, parts, now_);
        require(!sent || *sent <= asked);
        return;
      }
    }
  }

  void pull(const PeerId& peer) {
    for (std::uint8_t count = script_.next() % 8; count > 0; --count) {
      const auto frame = router_.next_frame(peer);
      if (!frame) return;
      require(decode_frame(*frame, RpcLimits{}).has_value());
    }
  }

  void lawful_rpc(const PeerId& peer, const std::string& topic) {
    const std::uint8_t kind = script_.next();
    const Bytes data = to_bytes(script_.take(script_.next() % 16));
    const MessageId id = id_of(data);
    Rpc rpc;
    if (kind % 8 == 0) rpc.subscriptions.push_back({true, topic, (kind & 16) != 0, (kind & 32) != 0});
    if (kind >= 192) rpc.control.emplace().extensions.emplace().partial_messages = (kind & 8) != 0;
    if (kind % 8 == 1) rpc.subscriptions.push_back({false, topic, {}, {}});
    const Bytes author = {script_.next(), 1, script_.next()};  // sometimes a peer id
    if (kind % 8 == 2) rpc.publish.push_back({{}, ByteView(data), {}, topic, {}, {}});
    if (kind % 16 == 10) {
      Message& message = rpc.publish.back();
      message.from = ByteView(author);
      if (kind % 32 == 10) message.seqno = ByteView(author);
      if (kind % 64 == 10) message.signature = ByteView(author).first(script_.next() % 2);
    }
    if (kind % 8 == 3) rpc.control.emplace(rpc.control.value_or(Control{})).graft.push_back({topic});
    if (kind % 64 == 35) rpc.partial = Partial{topic, ByteView(author), ByteView(data), ByteView(author)};
    const PeerId other = peer_id(script_.next() % 16);
    if (kind % 8 == 4) {
      rpc.control.emplace(rpc.control.value_or(Control{})).prune.push_back({topic, {}, script_.next()});
      rpc.control->prune[0].peers.resize(script_.next() % 24, {other.bytes(), ByteView(data)});
    }
    if (kind % 8 == 5) rpc.control.emplace(rpc.control.value_or(Control{})).ihave.push_back({topic, {id.bytes()}});
    if (kind % 8 == 6) rpc.control.emplace(rpc.control.value_or(Control{})).iwant.push_back({{id.bytes()}});
    if (kind % 8 == 7) rpc.control.emplace(rpc.control.value_or(Control{})).idontwant.push_back({{id.bytes()}});
    const auto result = router_.on_frame(peer, encode_frame(rpc), now_);
    require(result.has_value());
  }

  void settle() {
    while (const auto action = router_.poll_action()) {
      if (const auto* validate = std::get_if<Validate>(&*action)) requests_.insert(validate->request);
      if (std::holds_alternative<PartialReceived>(*action)) ++partials_;
    }
    const auto sizes = router_.sizes();
    require(sizes.validating == requests_.size() && sizes.validating <= 6);
    router_.check();
    require(sizes.seen <= 16 && sizes.cached_bytes <= 400);
    require(sizes.outbox_items <= 4 * sizes.peers);
    require(sizes.outbox_partials <= 3 * sizes.peers && sizes.partial_bytes <= 60 && sizes.partial_groups <= 2 * 6);
    require(partials_ <= router_.counters().partials_received);
    require(router_.subscribers("c").empty());
    for (const auto& topic : kTopics) require(router_.mesh(topic).size() <= 8);
  }

  AnySignatures signatures_;
  Script script_;
  SeededRng rng_;
  ScriptedScores scores_;
  Now now_{MonoTime(Seconds(1)), UnixTime(Seconds(1))};
  Router router_;
  std::set<RequestId> requests_;
  std::uint64_t partials_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(ByteView(data, size)).play();
  return 0;
}
