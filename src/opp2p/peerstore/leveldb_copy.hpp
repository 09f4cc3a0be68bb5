// A copy of a LevelDB directory that another program owns. C++ LevelDB writes to a directory when it opens it, and
// locks it with fcntl where goleveldb uses flock, so neither would notice the other: the original is locked in both
// ways while its files are copied, and only the copy is opened. The copy is removed with its owner.
//
// Thread: any. Bounds: kMaxCopy bytes and kMaxFiles files, Errc::too_large beyond.
#pragma once

#include <filesystem>
#include <utility>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace opp2p {

// Whether the path is a folder with a LevelDB database, as the --p2p.peerstore.path of an op-node.
bool is_leveldb_directory(const std::filesystem::path& path);
// Errc::not_found when it is not, Errc::io when it may not be read.
libp2p::Result<void> check_leveldb_directory(const std::filesystem::path& path);

class LevelDbCopy {
 public:
  static constexpr std::uint64_t kMaxCopy = std::uint64_t{4} << 30;
  static constexpr std::size_t kMaxFiles = 65'536;

  // `place` is the folder that the copy becomes; what a killed process has left there is removed. Errc::denied when a
  // program has the directory open, Errc::not_found when there is no LevelDB, Errc::malformed when a file of it cannot
  // be one of LevelDB's.
  static libp2p::Result<LevelDbCopy> make(const std::filesystem::path& source, const std::filesystem::path& place);

  LevelDbCopy(LevelDbCopy&& other) noexcept : place_(std::exchange(other.place_, {})) {}
  LevelDbCopy& operator=(LevelDbCopy&&) = delete;
  ~LevelDbCopy();
  const std::filesystem::path& path() const { return place_; }

 private:
  explicit LevelDbCopy(std::filesystem::path place) : place_(std::move(place)) {}
  std::filesystem::path place_;  // empty when moved from
};

// A table file whose parts lie within it. LevelDB trusts the sizes in its footer, which has no checksum, and would ask
// for any amount of memory.
libp2p::Result<void> check_table_footer(libp2p::ByteView footer, std::uint64_t file_size);
inline constexpr std::size_t kTableFooter = 48;  // bytes

}  // namespace opp2p
