#include "libp2p/services/identify/identify_service.hpp"

#include <algorithm>

#include "libp2p/host/address_scope.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/services/peer_records.hpp"
#include "libp2p/services/stream_tools.hpp"

namespace libp2p {

using libp2p::Stream;
using runtime::Task;

namespace {

// To what the peerstore would keep of them at most, before they are handed around.
void limit_protocols(std::vector<std::string>& protocols) {
  const libp2p::PeerstoreLimits limits;
  std::erase_if(protocols, [&limits](const std::string& protocol) { return protocol.size() > limits.text_bytes; });
  if (protocols.size() > limits.protocols_per_peer) protocols.resize(limits.protocols_per_peer);
}

}  // namespace

// The place of one exchange of ours in `asking_`.
class IdentifyService::Asking {
 public:
  Asking(std::set<PeerId>& peers, PeerId peer) : peers_(peers), peer_(std::move(peer)) {
    granted_ = peers_.insert(peer_).second;
  }
  ~Asking() {
    if (granted_) peers_.erase(peer_);
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  bool granted() const { return granted_; }

 private:
  std::set<PeerId>& peers_;
  PeerId peer_;
  bool granted_ = false;
};

IdentifyService::IdentifyService(libp2p::Host& host, IdentifyConfig config)
    : host_(host),
      config_(std::move(config)),
      serving_(config_.inbound_per_peer),
      // Half of what a peer like us takes, so that none of ours is turned away there.
      push_rounds_(config_.push_rate, std::max(config_.push_burst / 2, 1.0), host.runtime().now().mono),
      change_(host.runtime()),
      scope_(host.runtime()) {
  serve_in_scope(host_, scope_, identify::kProtocol, [this](Stream stream) { return answer(std::move(stream)); });
  serve_in_scope(host_, scope_, identify::kPushProtocol,
                 [this](Stream stream) { return take_push(std::move(stream)); });
  events_ =
      host_.subscribe([this](const HostEvent& event) { std::visit([this](const auto& kind) { on(kind); }, event); });
  last_told_ = told_now();
  scope_.spawn(watch_changes());
  for (const PeerId& peer : host_.connected_peers()) scope_.spawn(ask_and_report(peer));
}

IdentifyService::~IdentifyService() { shut(); }

void IdentifyService::shut() {
  if (std::exchange(shut_, true)) return;
  events_.reset();
  host_.remove_stream_handler(identify::kProtocol);
  host_.remove_stream_handler(identify::kPushProtocol);
}

Task<void> IdentifyService::close() {
  shut();
  return scope_.close();
}

// ---- what we tell ----

IdentifyService::Told IdentifyService::told_now() const {
  Told told;
  told.protocols = host_.protocols();
  std::sort(told.protocols.begin(), told.protocols.end());
  told.addresses = host_.bound_addresses();
  told.addresses.insert(told.addresses.end(), config_.announced.begin(), config_.announced.end());
  return told;
}

bool IdentifyService::refresh() {
  Told now = told_now();
  if (now == last_told_) return false;
  last_told_ = std::move(now);
  ++version_;
  return true;
}

std::vector<Multiaddr> IdentifyService::own_addresses(const PeerId& peer) const {
  std::vector<Multiaddr> local;
  if (!peer.empty()) {
    for (const auto& connection : host_.connections(peer)) local.push_back(connection.local);
  }
  std::vector<Multiaddr> own = libp2p::specified(host_.bound_addresses(), local);
  for (const Multiaddr& address : config_.announced) {
    if (std::find(own.begin(), own.end(), address) == own.end()) own.push_back(address);
  }
  return own;
}

// Sealed again only when it says something else than the last: records of one peer are ordered by their number, so an
// older one could not be told after a newer. The number is the time, made strictly increasing.
std::optional<Bytes> IdentifyService::own_record(const std::vector<Multiaddr>& addresses) {
  if (own_record_ && told_in_record_ == addresses) return own_record_;
  const auto wall = host_.runtime().now().wall.time_since_epoch().count();
  last_seq_ = std::max(last_seq_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(wall, 0)));
  multiformats::PeerRecord record;
  record.peer_id = host_.id();
  record.seq = last_seq_;
  record.addresses = addresses;
  auto sealed = record.seal(host_.identity());
  if (!sealed) return std::nullopt;
  told_in_record_ = addresses;
  own_record_ = std::move(*sealed);
  return own_record_;
}

Bytes IdentifyService::own_message(const PeerId& peer) {
  if (refresh()) push();
  if (host_.connected(peer)) versions_told_[peer] = version_;
  identify::Message message;
  message.public_key = host_.identity().public_key().to_protobuf();
  message.agent_version = host_.config().user_agent;
  message.protocol_version = config_.protocol_version;
  message.protocols = last_told_.protocols;
  const auto own = own_addresses(peer);
  for (const Multiaddr& address : own) message.listen_addrs.push_back(to_bytes(address.bytes()));
  const auto connections = host_.connections(peer);
  if (!connections.empty()) message.observed_addr = to_bytes(connections.back().remote.bytes());

  if (auto sealed = own_record(own)) message.signed_peer_record = std::move(*sealed);
  return identify::encode_parts(message);
}

// ---- what we learn ----

IdentifyService::Visits& IdentifyService::visits_of(const PeerId& peer) {
  const MonoTime now = host_.runtime().now().mono;
  const auto found = visits_.find(peer);
  if (found != visits_.end()) return found->second;
  const Visits full{TokenBucket(config_.push_rate, config_.push_burst, now),
                    TokenBucket(config_.ask_rate, config_.ask_burst, now)};
  return visits_.emplace(peer, full).first->second;
}

std::vector<Multiaddr> IdentifyService::told_addresses(const PeerId& peer, const identify::Message& message,
                                                       Identified& result) {
  std::vector<Multiaddr> told;
  if (message.signed_peer_record) {
    auto record = multiformats::PeerRecord::open(*message.signed_peer_record);
    if (record && record->peer_id == peer) {
      // RFC 0003: a peer's records count in the order of their numbers.
      if (!keep_peer_record(host_.peerstore(), *record, *message.signed_peer_record)) return {};
      result.signed_record = true;
      told = std::move(record->addresses);
    }
  }
  if (!result.signed_record) {
    for (const Bytes& binary : message.listen_addrs) {
      // Addresses of protocols that are not known here are passed over.
      if (auto address = Multiaddr::from_bytes(binary)) told.push_back(std::move(*address));
    }
  }
  const auto connections = host_.connections(peer);
  if (connections.empty()) return {};
  told = libp2p::believable(told, connections.back().remote);
  constexpr std::size_t longest = libp2p::PeerstoreLimits().text_bytes;
  std::erase_if(told, [](const Multiaddr& address) { return address.bytes().size() > longest; });
  if (told.size() > config_.max_addresses_per_peer) told.resize(config_.max_addresses_per_peer);
  return told;
}

Result<Identified> IdentifyService::learn(const PeerId& peer, const identify::Message& message, bool pushed) {
  libp2p::Peerstore& store = host_.peerstore();
  if (message.public_key) {
    OPP2P_TRY(const auto key, crypto::PublicKey::from_protobuf(*message.public_key));
    if (!peer.matches(key)) return fail(Errc::mismatch, "identify shows the key of another peer");
    store.set_key(peer, key);
  }
  Identified result;
  result.pushed = pushed;
  // A push may hold only what has changed; the rest stays as it was.
  result.agent = message.agent_version.value_or(pushed ? store.agent(peer) : std::string());
  result.protocol_version = message.protocol_version.value_or(pushed ? store.protocol_version(peer) : std::string());
  store.set_agent(peer, result.agent, result.protocol_version);

  result.addresses = told_addresses(peer, message, result);
  Known& known = known_[peer];
  if (!result.addresses.empty()) known.addresses = result.addresses;
  store.add_addresses(peer, result.addresses, libp2p::kConnectedAddress, host_.runtime().now().mono);
  if (message.observed_addr) {
    const bool fits = message.observed_addr->size() <= libp2p::PeerstoreLimits().text_bytes;
    if (auto observed = Multiaddr::from_bytes(*message.observed_addr); fits && observed)
      known.observed = std::move(*observed);
  }
  result.observed = known.observed;

  result.protocols = message.protocols;
  limit_protocols(result.protocols);
  if (pushed && result.protocols.empty()) {
    result.protocols = store.protocols(peer);
  } else {
    host_.report_identified(peer, result.protocols);
  }
  // What has changed between our answer to the peer and now, when it is known that it takes pushes. In the next round:
  // one more of our own at once, and a peer that has taken its share turns it away, which nobody hears of.
  if (versions_told_.contains(peer) && needs_push(peer)) {
    missed_ = true;
    push();
  }
  if (identified_) identified_(peer, result);
  return result;
}

Task<Result<Identified>> IdentifyService::identify(PeerId peer) {
  const Asking place(asking_, peer);
  if (!place.granted()) co_return fail(Errc::exhausted, "this peer is being asked already");
  Result<Stream> opened = co_await host_.open_stream(peer, identify::kProtocol);
  if (!opened) co_return opened.error().within("while opening an identify stream");
  Stream stream = std::move(*opened);
  stream.set_read_deadline(host_.runtime().now().mono + config_.timeout);
  const Result<Bytes> read = co_await stream.read_to_end(identify::kMaxAnswer);
  if (!read) {
    stream.reset();
    co_return read.error().within("while reading what the peer says about itself");
  }
  stream.close_write();
  const Result<identify::Message> message = identify::decode_parts(*read);
  if (!message) co_return message.error().within("what the peer says about itself");
  if (!host_.connected(peer)) co_return fail(Errc::closed, "the peer is gone");
  co_return learn(peer, *message, false);
}

Task<void> IdentifyService::ask_and_report(PeerId peer) {
  if (!host_.connected(peer)) co_return;  // gone meanwhile: opening a stream would dial it
  const Result<Identified> result = co_await identify(peer);
  if (!result && failed_ && result.error() != Errc::exhausted) failed_(peer, result.error());
}

void IdentifyService::on(const ConnectionOpened& event) {
  const PeerId& peer = event.connection.peer;
  if (!asking_.contains(peer)) scope_.spawn(ask_and_report(peer));
}

void IdentifyService::on(const PeerDisconnected& event) {
  const PeerId& peer = event.peer;
  if (host_.connected(peer)) return;
  visits_.erase(peer);
  versions_told_.erase(peer);
  const auto found = known_.find(peer);
  if (found == known_.end()) return;
  // What it told is believed for a while after it has gone, however long it was here.
  host_.peerstore().add_addresses(peer, found->second.addresses, libp2p::kConnectedAddress, host_.runtime().now().mono);
  known_.erase(found);
  to_push_.erase(peer);
}

std::vector<std::pair<Multiaddr, std::size_t>> IdentifyService::observed_addresses() const {
  std::map<Multiaddr, std::size_t> counts;
  for (const auto& [peer, known] : known_) {
    if (known.observed) ++counts[*known.observed];
  }
  std::vector<std::pair<Multiaddr, std::size_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

// ---- serving ----

Task<void> IdentifyService::answer(Stream stream) {
  const ServingCount::Place place(serving_, stream.peer());
  if (!place.granted() || !visits_of(stream.peer()).requests.try_take(1, host_.runtime().now().mono)) {
    ++counters_.refused_requests;
    stream.reset();
    co_return;
  }
  stream.set_write_deadline(host_.runtime().now().mono + config_.timeout);
  const Bytes message = own_message(stream.peer());
  const Result<void> wrote = co_await stream.write(message);
  if (wrote) {
    stream.close_write();
  } else {
    versions_told_.erase(stream.peer());  // told to nobody
    stream.reset();
  }
}

Task<void> IdentifyService::take_push(Stream stream) {
  const ServingCount::Place place(serving_, stream.peer());
  if (!place.granted() || !visits_of(stream.peer()).pushes.try_take(1, host_.runtime().now().mono)) {
    ++counters_.refused_pushes;
    stream.reset();
    co_return;
  }
  const PeerId peer = stream.peer();
  stream.set_read_deadline(host_.runtime().now().mono + config_.timeout);
  const Result<Bytes> read = co_await stream.read_to_end(identify::kMaxAnswer);
  if (!read) {
    stream.reset();
    co_return;
  }
  stream.close_write();
  const Result<identify::Message> message = identify::decode_parts(*read);
  if (!host_.connected(peer)) co_return;
  Result<void> taken;
  if (!message) {
    taken = message.error();
  } else if (const auto learnt = learn(peer, *message, true); !learnt) {
    taken = learnt.error();
  }
  if (!taken && failed_) failed_(peer, taken.error().within("what the peer pushed"));
}

// ---- pushing ----

void IdentifyService::set_announced(std::vector<Multiaddr> addresses) {
  config_.announced = std::move(addresses);
  push();
}

void IdentifyService::push() { change_.signal(); }

Task<void> IdentifyService::watch_changes() {
  while (true) {
    const Result<void> woken = co_await change_.wait();
    if (!woken) co_return;
    refresh();
    if (version_ == pushed_version_ && !missed_) continue;
    // More may follow: a program sets its handlers one after another.
    const Nanos delay = std::max(config_.push_delay, push_rounds_.reserve(1, host_.runtime().now().mono));
    const Result<void> slept = co_await runtime::sleep_for(host_.runtime(), delay);
    if (!slept) co_return;
    refresh();
    pushed_version_ = version_;
    missed_ = false;
    push_all();
  }
}

bool IdentifyService::needs_push(const PeerId& peer) const {
  if (!host_.peerstore().supports(peer, identify::kPushProtocol)) return false;
  const auto told = versions_told_.find(peer);
  return told == versions_told_.end() || told->second != version_;
}

void IdentifyService::push_all() {
  for (const PeerId& peer : host_.connected_peers()) {
    if (needs_push(peer)) to_push_.insert(peer);
  }
  start_pushing();
}

void IdentifyService::start_pushing() {
  const std::size_t wanted = std::min(to_push_.size(), config_.pushes_at_once);
  while (pushing_ < wanted) {
    ++pushing_;
    scope_.spawn(push_some());
  }
}

Task<void> IdentifyService::push_some() {
  while (!to_push_.empty()) {
    PeerId peer = *to_push_.begin();
    to_push_.erase(to_push_.begin());
    const Result<void> pushed = co_await push_to(peer);
    if (!pushed && failed_) failed_(peer, pushed.error().within("while telling the peer what has changed"));
  }
  --pushing_;
}

Task<Result<void>> IdentifyService::push_to(PeerId peer) {
  if (!host_.connected(peer)) co_return Result<void>();
  Result<Stream> opened = co_await host_.open_stream(peer, identify::kPushProtocol);
  if (!opened) co_return opened.error();
  Stream stream = std::move(*opened);
  stream.set_write_deadline(host_.runtime().now().mono + config_.timeout);
  const Bytes message = own_message(peer);
  const Result<void> wrote = co_await stream.write(message);
  if (!wrote) {
    versions_told_.erase(peer);
    stream.reset();
    co_return wrote.error();
  }
  stream.close_write();
  co_return Result<void>();
}

}  // namespace libp2p
