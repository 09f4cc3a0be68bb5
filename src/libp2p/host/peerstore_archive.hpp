// Keeps a host's peerstore in a datastore. load() brings back what the last run knew, before the host listens. From
// then on records that change are written in batches; what the peerstore forgets is erased. The datastore then mirrors
// the peerstore, and is bounded by its limits; what an import brought beyond them stays until it expires.
//
// Times on the disk are wall time. A jump of the clock while the process runs changes nothing in the peerstore, and all
// records are written anew. A clock that is wrong at the start makes an address live no longer than its TTL, and kills
// nothing for good when it is mended within a minute: the first collection reads again what the start found expired.
//
// Owner: who made the host; destroyed before the host and the writer. Thread: the network thread; collections read on a
// worker. Bounds: 64 bytes for each peer of the peerstore. A change that the writer refuses is kept and comes again.
// Re-entrancy: calls nobody back. Specification: op-node surface, sections 2 ("Order"), 4 and 14.
#pragma once

#include <map>
#include <memory>

#include "libp2p/base/life_token.hpp"
#include "libp2p/host/archive_reader.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/storage/batch_writer.hpp"

namespace libp2p {

struct PeerstoreArchiveConfig {
  Nanos save_every = Seconds(5);
  Nanos first_collection = Seconds(60);
  Nanos collect_every = std::chrono::hours(2);
};

struct LoadedPeers {
  std::size_t peers = 0;
  std::size_t addresses = 0;
  std::size_t left_out = 0;  // beyond the limits of the peerstore
  std::size_t skipped = 0;   // records that do not parse
  std::optional<std::string> first_skipped;
};

struct PeerstoreArchiveCounters {
  std::uint64_t written = 0;  // records
  std::uint64_t erased = 0;   // keys, whether they were there or not
  std::uint64_t collections = 0;
  std::uint64_t collected = 0;  // keys that a collection erased
  std::uint64_t refused = 0;    // by the writer; tried again
  std::uint64_t skipped = 0;    // records that do not parse, by the last reading
};

class PeerstoreArchive {
 public:
  // `self`: the host's own id, whose records are left alone.
  PeerstoreArchive(runtime::Runtime& runtime, Peerstore& peerstore, PeerId self, storage::BatchWriter& writer,
                   PeerstoreArchiveConfig config = {});
  PeerstoreArchive(const PeerstoreArchive&) = delete;
  PeerstoreArchive& operator=(const PeerstoreArchive&) = delete;

  // Once, before the host listens: reads within this call. An error is one of the datastore; nothing is changed then,
  // and nothing is written later.
  Result<LoadedPeers> load();
  // Hands everything that has changed to the writer, whose flush() or close() makes it durable.
  void save();
  // The last save; nothing is written later. Then close the writer.
  void close();

  const PeerstoreArchiveCounters& counters() const { return counters_; }

 private:
  static constexpr std::size_t kMostPerSave = 512;  // peers, on the way of the timer

  void restore(const ArchiveReading& reading);
  void on_timer();
  void save_changed(std::size_t most);
  bool save_peer(const PeerId& peer);
  void erase_ended();
  void collect();
  void on_collected(const ArchiveReading& reading);
  bool put(std::vector<storage::Change> changes);
  void notice_jump();

  runtime::Runtime& runtime_;
  Peerstore& peerstore_;
  const PeerId self_;
  storage::BatchWriter& writer_;
  const PeerstoreArchiveConfig config_;
  std::map<PeerId, ArchiveMarks> on_disk_;  // what is there, or waits to be written
  std::uint64_t changes_seen_ = 0;
  Nanos clock_offset_{};  // of wall time from the monotonic one, when records were written
  bool clock_set_back_ = false;
  bool loaded_ = false;
  bool collecting_ = false;
  MonoTime collect_at_{};
  PeerstoreArchiveCounters counters_;
  std::unique_ptr<runtime::Timer> timer_;
  LifeToken life_;
};

}  // namespace libp2p
