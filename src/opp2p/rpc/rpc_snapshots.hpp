// Answers the RPC's questions about the state of the node. The network thread takes a snapshot (plain values), and the
// RPC's thread makes JSON of it. Requests that wait for the same kind share one snapshot. It is begun after the last of
// them came, so an answer never shows less than what the client was told before. A long list of peers is taken in
// turns.
//
// Owner: the daemon. Thread: ask() and the answers on the RPC's (`post`); stop() and the destructor on the network
// thread. Bounds: one turn at a time for each kind is queued on the network thread; a turn lasts kTurn and one peer at
// most; all turns together take a tenth of the network thread's time (kPause); a dump has at most
// RpcBudget::answer_bytes.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "opp2p/node/snapshots.hpp"
#include "opp2p/rpc/json_rpc.hpp"

namespace opp2p {

// Where snapshots come from: the node. Called on the network thread.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  virtual PeerSnapshot self() const = 0;
  virtual PeerList list_peers(bool connected_only) const = 0;
  virtual PeerSnapshot snapshot_of(const libp2p::PeerId& peer, const PeerList& list) const = 0;
  virtual PeerStatsSnapshot peer_stats() const = 0;
  virtual StatusSnapshot status() const = 0;
};

enum class SnapshotKind : std::uint8_t { self, connected_peers, all_peers, peer_stats, status };

class RpcSnapshots {
 public:
  static constexpr libp2p::Nanos kTurn = libp2p::Micros(300);
  static constexpr int kPause = 9;  // times as long as a turn took, until the next one

  // `source` and `runtime` outlive it.
  RpcSnapshots(libp2p::runtime::Runtime& runtime, const SnapshotSource& source, JsonRpc::Post post,
               SharedAccount memory, std::size_t answer_bytes);
  ~RpcSnapshots();
  RpcSnapshots(const RpcSnapshots&) = delete;
  RpcSnapshots& operator=(const RpcSnapshots&) = delete;

  void ask(SnapshotKind kind, RpcDone done);
  // The source is not asked any more, and who waits is not answered.
  void stop();

  // Work done on the network thread since the start, for tests and measurement.
  std::uint64_t taken() const { return taken_; }  // snapshots
  std::uint64_t turns() const { return turns_; }

 private:
  static constexpr std::size_t kKinds = 5;

  // A snapshot that is being taken. Peers: those of one turn.
  struct Round {
    SnapshotKind kind;
    bool begun = false;
    PeerList list;
    std::size_t next = 0;  // in the list
    std::vector<PeerSnapshot> peers;
    PeerStatsSnapshot stats;
    StatusSnapshot status;
    explicit Round(SnapshotKind k) : kind(k) {}
    bool whole() const { return next == list.ids.size(); }
  };
  using SharedRound = std::shared_ptr<Round>;
  // Of the RPC's thread.
  struct Row {
    std::vector<RpcDone> waiting;
    std::vector<RpcDone> served;  // by the round that is under way
    RpcText text;
    bool busy = false;
  };

  // --- on the network thread ---
  void post_turn(SharedRound round);  // from the RPC's thread
  void enqueue(SharedRound round);
  void run_turn();
  void take(Round& round);

  // --- on the RPC's thread ---
  void begin(SnapshotKind kind);
  void on_turn(const SharedRound& round);
  std::optional<RpcError> append_peers(Row& row, const Round& round);
  void answer(SnapshotKind kind, const RpcReply& reply);
  Row& row(SnapshotKind kind) { return rows_[static_cast<std::size_t>(kind)]; }

  libp2p::runtime::Runtime& runtime_;
  const SnapshotSource& source_;
  JsonRpc::Post post_;
  SharedAccount memory_;
  std::size_t answer_bytes_;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> turns_{0};

  std::array<Row, kKinds> rows_;

  std::deque<SharedRound> turns_due_;
  libp2p::MonoTime not_before_{};
  bool stopped_ = false;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
  libp2p::LifeToken life_;  // for tasks on the network thread
};

}  // namespace opp2p
