// A disk for the tests of the block store that fails when it is told to and loses what was not synced. It stands
// between LMDB and the kernel (store_disk_test.cpp defines the system calls that a database is written with): each
// write, sync and renaming in one folder is noted, and from the notes it builds what the disk could hold if the power
// failed at any moment: everything up to the last sync that worked, and of what came later any part, also torn in the
// middle. What a failed sync or a failed write left is never certain again, as with a kernel that counts the pages as
// written either way.
//
// Owner: the test program, one for all. Thread: any. Bounds: the notes hold all that was written since start().
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "opp2p/store/block_store.hpp"

namespace opp2p::testing_store {

struct DiskEvent {
  enum class Kind : std::uint8_t { write, sync, failed_sync, rename, folder_sync };
  Kind kind = Kind::write;
  bool durable = false;    // a write through a descriptor that syncs by itself
  bool uncertain = false;  // a write that was told to have failed
  std::uint64_t offset = 0;
  Bytes data;
};

// What a call that is to fail does: nothing (and says why), all of it though it says the contrary, or half of it.
enum class Fault : std::uint8_t { io_error, disk_full, done_but_denied, half };

// The database file as the disk holds it, and under which name.
struct DiskImage {
  Bytes data;
  bool named = false;  // data.mdb; else its name from before it was whole
};

class Disk {
 public:
  static Disk& instance();

  void start(const std::filesystem::path& folder);
  std::vector<DiskEvent> stop();
  // Call `call` since the start (from 0) fails, and if `lasting` all that follow.
  void fail(std::size_t call, Fault fault, bool lasting);
  std::size_t position();  // events so far
  std::size_t calls();     // calls so far, those that failed too

  // The system calls.
  ssize_t write(int fd, const struct iovec* parts, int count, off_t offset);
  int sync(int fd, long call);
  int allocate(int fd, off_t offset, off_t size);
  int rename(const char* from, const char* to);

 private:
  enum class Owner : std::uint8_t { other, database, readers, folder };
  Owner owner_of(int fd) const;
  bool fails_now();
  void note(DiskEvent::Kind kind);

  std::mutex mutex_;
  std::atomic<bool> active_{false};
  std::filesystem::path folder_;
  std::vector<DiskEvent> events_;
  std::size_t calls_ = 0;
  std::size_t first_failing_ = SIZE_MAX;
  std::size_t last_failing_ = 0;
  Fault fault_ = Fault::io_error;
};

// What may be there when the power fails after `cut` events. With `syncs_work` false the disk lied about all of them.
DiskImage disk_after(const std::vector<DiskEvent>& events, std::size_t cut, libp2p::Rng& rng, bool syncs_work = true);

// Writes batches of blocks, each larger than the one before, into a store that has to prune. A batch ends with one of
// three things in turn: a move of the head above a hole, which the next batch fills from above; a rewind; and a
// reorganisation: blocks of a branch, and the head moved to it. A batch that failed is tried once more, then the script
// gives up. It runs on the store's own thread, so that every run makes the same calls.
using Chains = std::vector<std::vector<std::uint8_t>>;
struct ScriptResult {
  // What the script asked for, in its order, and the chain after it: the branch of the block of each number from 1 on.
  struct Step {
    std::size_t acknowledged = SIZE_MAX;  // the position in the events of the disk; none: it was not
    std::vector<std::uint8_t> forks;
  };
  std::vector<Step> steps;
  std::vector<Error> errors;  // one for each opening or batch that failed
  bool finished = false;
  std::uint64_t pruned = 0;
  // The chains that the store may have after so many events: those of the last step that was acknowledged and of all
  // that follow.
  Chains chains_after(std::size_t cut) const;
  std::uint64_t head() const { return steps.empty() ? 0 : steps.back().forks.size(); }
};
ScriptResult run_script(const std::filesystem::path& folder);

// Opens the store in `folder` and looks whether it holds one of the chains, or one that goes on from one of them (a
// batch that was told to have failed and did not), with an error that says what is wrong. Answers how many segments it
// has.
Result<std::size_t> check_store(const std::filesystem::path& folder, const Chains& chains);
// The same for a folder in which a power failure left `image`.
Result<std::size_t> check_image(const DiskImage& image, const Chains& chains);

}  // namespace opp2p::testing_store
