#include "opp2p/peerstore/leveldb_copy.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/uvarint.hpp"
#include "opp2p/base/file_error.hpp"
#include "opp2p/peerstore/leveldb_lock.hpp"

namespace opp2p {

using libp2p::ByteView;
using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kTableMagic = 0xdb4775248b80fb57;
constexpr std::uint64_t kBlockTrailer = 5;  // bytes: compression and checksum
constexpr std::size_t kMostOfCurrent = 64;

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_table(std::string_view name) {
  return (name.ends_with(".ldb") || name.ends_with(".sst")) && is_number(name.substr(0, name.size() - 4));
}

// What a database consists of. Locks and logs in plain text are left out.
bool is_part(std::string_view name) {
  constexpr std::string_view kManifest = "MANIFEST-";
  if (name == "CURRENT" || is_table(name)) return true;
  if (name.starts_with(kManifest)) return is_number(name.substr(kManifest.size()));
  return name.ends_with(".log") && is_number(name.substr(0, name.size() - 4));
}

Result<std::vector<fs::path>> parts_of(const fs::path& source) {
  std::vector<fs::path> out;
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator at(source, error), end; !error && at != end; at.increment(error)) {
    if (!is_part(at->path().filename().string())) continue;
    std::error_code unread;
    if (!at->is_regular_file(unread)) return fail(Errc::malformed, at->path().string() + " is no regular file");
    bytes += at->file_size(unread);
    if (unread) return io_error("cannot read", at->path(), unread.value());
    out.push_back(at->path());
    if (bytes > LevelDbCopy::kMaxCopy || out.size() > LevelDbCopy::kMaxFiles)
      return fail(Errc::too_large, source.string() + " has more than " + std::to_string(LevelDbCopy::kMaxCopy >> 20) +
                                       " MiB or " + std::to_string(LevelDbCopy::kMaxFiles) +
                                       " files: that is no peerstore of an op-node");
  }
  if (error) return io_error("cannot read", source, error.value());
  std::sort(out.begin(), out.end());
  return out;
}

// LevelDB opens whatever CURRENT names, beside the copy too.
Result<void> check_current(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kMostOfCurrent, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  constexpr std::string_view kManifest = "MANIFEST-";
  if (!text.starts_with(kManifest) || !text.ends_with('\n') ||
      !is_number(std::string_view(text).substr(kManifest.size(), text.size() - kManifest.size() - 1)))
    return fail(Errc::malformed, path.string() + " names no manifest: the database is damaged");
  return {};
}

Result<void> check_table(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return io_error("cannot read", path, error.value());
  libp2p::ByteArray<kTableFooter> footer{};
  if (size >= kTableFooter) {
    std::ifstream in(path, std::ios::binary);
    in.seekg(-static_cast<std::streamoff>(kTableFooter), std::ios::end);
    in.read(reinterpret_cast<char*>(footer.data()), kTableFooter);
    if (!in) return io_error("cannot read", path, EIO);
  }
  auto checked = check_table_footer(footer, size);
  if (!checked) return checked.error().within(path.string());
  return {};
}

Result<void> copy_parts(const fs::path& source, const fs::path& place) {
  OPP2P_TRY(const auto parts, parts_of(source));
  for (const auto& part : parts) {
    const auto copy = place / part.filename();
    std::error_code error;
    if (::access(part.c_str(), R_OK) != 0) return io_error("cannot read", part, errno);
    fs::copy_file(part, copy, error);
    if (error) return io_error("cannot copy " + part.string() + " to", copy, error.value());
    const auto name = part.filename().string();
    if (name == "CURRENT") OPP2P_TRYV(check_current(copy));
    if (is_table(name)) OPP2P_TRYV(check_table(copy));
  }
  return {};
}

}  // namespace

bool is_leveldb_directory(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path / "CURRENT", error)) return false;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error))
    if (at->path().filename().string().starts_with("MANIFEST-")) return true;
  return false;
}

Result<void> check_table_footer(ByteView footer, std::uint64_t file_size) {
  const auto damaged = [] { return fail(Errc::malformed, "no table of LevelDB, or a damaged one"); };
  if (footer.size() != kTableFooter || file_size < kTableFooter ||
      libp2p::load_le64(&footer[kTableFooter - 8]) != kTableMagic)
    return damaged();
  const std::uint64_t most = file_size - kTableFooter;
  // Two blocks, each as its place and its size without the trailer.
  auto rest = footer.first(kTableFooter - 8);
  for (int i = 0; i < 2; ++i) {
    std::uint64_t numbers[2] = {};
    for (auto& number : numbers) {
      const auto read = libp2p::read_uvarint(rest);
      if (read.fault != libp2p::Uvarint::Fault::none) return damaged();
      number = read.value;
      rest = rest.subspan(read.size);
    }
    if (numbers[0] > most || numbers[1] > most - numbers[0] || most - numbers[0] - numbers[1] < kBlockTrailer)
      return damaged();
  }
  return {};
}

Result<void> check_leveldb_directory(const fs::path& path) {
  std::error_code error;
  const bool is_folder = fs::is_directory(path, error);
  if (!is_folder && error && error != std::errc::no_such_file_or_directory)
    return io_error("cannot read", path, error.value());
  if (!is_folder) return fail(Errc::not_found, path.string() + " is no folder; give op-node's --p2p.peerstore.path");
  if (::access(path.c_str(), R_OK | X_OK) != 0) return io_error("cannot read", path, errno);
  if (!is_leveldb_directory(path))
    return fail(Errc::not_found, path.string() + " has no LevelDB database; give op-node's --p2p.peerstore.path");
  return {};
}

Result<LevelDbCopy> LevelDbCopy::make(const fs::path& source, const fs::path& place) {
  std::error_code error;
  OPP2P_TRYV(check_leveldb_directory(source));
  LevelDbLock lock;
  OPP2P_TRYV(lock.take(source));
  fs::remove_all(place, error);
  if (error) return io_error("cannot remove", place, error.value());
  LevelDbCopy copy(place);
  if (!fs::create_directory(place, error)) return io_error("cannot create", place, error.value());
  fs::permissions(place, fs::perms::owner_all, error);  // it holds a private key
  if (error) return io_error("cannot protect", place, error.value());
  OPP2P_TRYV(copy_parts(source, place));
  return copy;
}

LevelDbCopy::~LevelDbCopy() {
  std::error_code ignored;
  if (!place_.empty()) fs::remove_all(place_, ignored);
}

}  // namespace opp2p
