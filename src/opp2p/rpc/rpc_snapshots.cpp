#include "opp2p/rpc/rpc_snapshots.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opp2p {
namespace {

// Each turn passes through queues whose locks another thread may hold, so there are at most 200 a second.
constexpr libp2p::Nanos kLeastPause = libp2p::Millis(5);

}  // namespace

bool SnapshotText::append(std::string_view piece) {
  if (error_) return false;
  if (text_.size() + piece.size() > most_)
    error_ = RpcError{kResponseTooLarge, "response too large: the list fills more than " + std::to_string(most_) +
                                             " bytes" + (instead_.empty() ? "" : "; " + instead_)};
  else if (!text_.append(piece))
    error_ = RpcError{kLimitExceeded, "the answers of the RPC fill its memory; ask again later"};
  return !error_;
}

RpcSnapshots::RpcSnapshots(libp2p::runtime::Runtime& runtime, JsonRpc::Post post, SharedAccount memory,
                           std::size_t answer_bytes)
    : runtime_(runtime),
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

void RpcSnapshots::ask(const std::string& key, MakeRound make, RpcDone done) {
  auto& row = rows_[key];
  row.make = std::move(make);
  row.waiting.push_back(std::move(done));
  if (!row.busy && !row.queued) {
    row.queued = true;
    due_.push_back(key);
  }
  begin_due();
}

void RpcSnapshots::begin_due() {
  while (!due_.empty() && under_way_ < kMostAtOnce) {
    const auto key = std::move(due_.front());
    due_.pop_front();
    Row& row = rows_.at(key);
    OPP2P_ASSERT(!row.busy && row.queued && row.served.empty(), "each key has one snapshot under way at most", key);
    row.queued = false;
    row.busy = true;
    row.served = std::move(row.waiting);
    row.waiting.clear();
    ++under_way_;
    auto turn = std::make_shared<Turn>();
    turn->key = key;
    turn->round = row.make();
    post_turn(std::move(turn));
  }
}

void RpcSnapshots::post_turn(SharedTurn turn) {
  runtime_.post(life_.guard([this, turn = std::move(turn)] { enqueue(turn); }));
}

void RpcSnapshots::on_turn(const SharedTurn& turn) {
  OPP2P_ASSERT(rows_.at(turn->key).busy, "a turn belongs to the snapshot that is under way", turn->key);
  const auto reply = turn->round->write(turn->whole);
  OPP2P_ASSERT(reply || !turn->whole, "a whole snapshot is an answer", turn->key);
  if (reply) return answer(turn->key, *reply);
  post_turn(turn);
}

void RpcSnapshots::answer(const std::string& key, const RpcReply& reply) {
  const auto at = rows_.find(key);
  const auto served = std::move(at->second.served);
  at->second.served.clear();
  at->second.busy = false;
  --under_way_;
  if (at->second.waiting.empty()) {
    rows_.erase(at);
  } else {
    at->second.queued = true;
    due_.push_back(key);
  }
  for (const auto& done : served) done(reply);
  begin_due();
}

// --- on the network thread ---

void RpcSnapshots::enqueue(SharedTurn turn) {
  if (stopped_) return;
  turns_due_.push_back(std::move(turn));
  OPP2P_ASSERT(turns_due_.size() <= kMostAtOnce, "each key has one turn due at most", turns_due_.size());
  if (turns_due_.size() == 1) run_turn();
}

// One turn now, or when the pause after the last one is over.
void RpcSnapshots::run_turn() {
  if (turns_due_.empty()) return;
  const auto begun = runtime_.now().mono;
  if (begun < not_before_) return timer_->arm(not_before_);
  auto turn = std::move(turns_due_.front());
  turns_due_.pop_front();
  take(*turn);
  ++turns_;
  const auto ended = runtime_.now().mono;
  not_before_ = ended + std::max(kLeastPause, kPause * (ended - begun));
  post_([this, turn = std::move(turn)] { on_turn(turn); });
  if (!turns_due_.empty()) timer_->arm(not_before_);
}

void RpcSnapshots::take(Turn& turn) {
  const auto begun = runtime_.now().mono;
  if (!turn.begun) ++taken_;
  turn.begun = true;
  turn.whole = turn.round->take([this, begun] { return runtime_.now().mono - begun >= kTurn; });
}

}  // namespace opp2p
