#include "opp2p/rpc/rpc_snapshots.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opp2p/rpc/p2p_json.hpp"

namespace opp2p {
namespace {

// Each turn passes through queues whose locks another thread may hold, so there are at most 200 a second.
constexpr libp2p::Nanos kLeastPause = libp2p::Millis(5);

}  // namespace

RpcSnapshots::RpcSnapshots(libp2p::runtime::Runtime& runtime, const SnapshotSource& source, JsonRpc::Post post,
                           SharedAccount memory, std::size_t answer_bytes)
    : runtime_(runtime),
      source_(source),
      post_(std::move(post)),
      memory_(std::move(memory)),
      answer_bytes_(answer_bytes),
      timer_(runtime.make_timer([this] { run_turn(); })) {}

RpcSnapshots::~RpcSnapshots() = default;

void RpcSnapshots::stop() {
  stopped_ = true;
  turns_due_.clear();
  timer_->disarm();
}

// --- on the RPC's thread ---

void RpcSnapshots::ask(SnapshotKind kind, RpcDone done) {
  row(kind).waiting.push_back(std::move(done));
  if (!row(kind).busy) begin(kind);
}

void RpcSnapshots::begin(SnapshotKind kind) {
  Row& about = row(kind);
  OPP2P_ASSERT(!about.busy && about.served.empty(), "each kind has one snapshot under way at most", kind);
  about.busy = true;
  about.served = std::move(about.waiting);
  about.waiting.clear();
  about.text = RpcText(memory_);
  post_turn(std::make_shared<Round>(kind));
}

void RpcSnapshots::on_turn(const SharedRound& round) {
  const auto kind = round->kind;
  OPP2P_ASSERT(row(kind).busy, "a turn belongs to the snapshot that is under way", kind);
  if (kind == SnapshotKind::status) return answer(kind, json::value(status_json(round->status)));
  if (kind == SnapshotKind::peer_stats) return answer(kind, json::value(peer_stats_json(round->stats)));
  if (kind == SnapshotKind::self) return answer(kind, json::value(peer_json(round->peers.front())));
  if (const auto error = append_peers(row(kind), *round)) return answer(kind, *error);
  if (round->whole()) return answer(kind, std::move(row(kind).text));
  post_turn(round);
}

void RpcSnapshots::post_turn(SharedRound round) {
  runtime_.post(life_.guard([this, round = std::move(round)] { enqueue(round); }));
}

// The error is why there is no dump.
std::optional<RpcError> RpcSnapshots::append_peers(Row& about, const Round& round) {
  const std::size_t first = round.next - round.peers.size();
  bool fits = first != 0 || about.text.append(peer_dump_begin(round.list.connected));
  for (std::size_t i = 0; fits && i < round.peers.size(); ++i) {
    auto item = peer_dump_item(round.peers[i]);
    if (first + i != 0) item.insert(0, ",");
    if (about.text.size() + item.size() > answer_bytes_)
      return RpcError{kResponseTooLarge, "response too large: the peers fill more than " +
                                             std::to_string(answer_bytes_) +
                                             " bytes; opp2p_peers(true) tells those that are connected"};
    fits = about.text.append(item);
  }
  if (fits && round.whole()) fits = about.text.append(peer_dump_end(BlockedSnapshot{}));
  if (!fits) return RpcError{kLimitExceeded, "the answers of the RPC fill its memory; ask again later"};
  return std::nullopt;
}

void RpcSnapshots::answer(SnapshotKind kind, const RpcReply& reply) {
  Row& about = row(kind);
  const auto served = std::move(about.served);
  about.served.clear();
  about.text = RpcText();
  about.busy = false;
  for (const auto& done : served) done(reply);
  if (!about.waiting.empty() && !about.busy) begin(kind);
}

// --- on the network thread ---

void RpcSnapshots::enqueue(SharedRound round) {
  if (stopped_) return;
  turns_due_.push_back(std::move(round));
  OPP2P_ASSERT(turns_due_.size() <= kKinds, "each kind has one turn due at most", turns_due_.size());
  if (turns_due_.size() == 1) run_turn();
}

// One turn now, or when the pause after the last one is over.
void RpcSnapshots::run_turn() {
  if (turns_due_.empty()) return;
  const auto begun = runtime_.now().mono;
  if (begun < not_before_) return timer_->arm(not_before_);
  auto round = std::move(turns_due_.front());
  turns_due_.pop_front();
  take(*round);
  ++turns_;
  const auto ended = runtime_.now().mono;
  not_before_ = ended + std::max(kLeastPause, kPause * (ended - begun));
  post_([this, round = std::move(round)] { on_turn(round); });
  if (!turns_due_.empty()) timer_->arm(not_before_);
}

void RpcSnapshots::take(Round& round) {
  const auto begun = runtime_.now().mono;
  if (!round.begun) ++taken_;
  switch (round.kind) {
    case SnapshotKind::status: round.status = source_.status(); return;
    case SnapshotKind::peer_stats: round.stats = source_.peer_stats(); return;
    case SnapshotKind::self: round.peers.push_back(source_.self()); return;
    case SnapshotKind::connected_peers:
    case SnapshotKind::all_peers: break;
  }
  if (!round.begun) round.list = source_.list_peers(round.kind == SnapshotKind::connected_peers);
  round.begun = true;
  round.peers.clear();
  OPP2P_ASSERT(round.next <= round.list.ids.size(), "a round ends with its list", round.next, round.list.ids.size());
  while (!round.whole()) {
    round.peers.push_back(source_.snapshot_of(round.list.ids[round.next++], round.list));
    if (runtime_.now().mono - begun >= kTurn) return;
  }
}

}  // namespace opp2p
