#include "libp2p/storage/lmdb/lmdb_environment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "libp2p/storage/file_error.hpp"

namespace libp2p::storage {
namespace {

constexpr off_t kReaderTable = 32 << 10;  // bytes, 64 for each of the reads that can happen at a time
constexpr MDB_dbi kMostTables = 16;

// LMDB maps the table of readers, and a mapped page for which a full disk has no room is a fatal signal when it is
// touched.
Result<void> reserve_readers(const LmdbErrors& errors) {
  const auto path = errors.folder / "lock.mdb";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return errors.with(Errc::io, "cannot open " + path.string() + ": " + file_error(errno, path));
  const int code = ::posix_fallocate(file, 0, kReaderTable);
  ::close(file);
  if (code != 0) return errors.failed(code, "opening");
  return {};
}

}  // namespace

Error LmdbErrors::with(Errc code, const std::string& text) const {
  return Error(code, what + " in " + folder.string() + ": " + text);
}

Error LmdbErrors::failed(int code, std::string_view doing) const {
  const std::string why = code > 0 ? file_error(code, folder) : mdb_strerror(code);  // LMDB's own are negative
  const std::string text = std::string(doing) + ": " + why;
  if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID)
    return with(Errc::malformed, text + "; move " + LmdbEnvironment::kFile + " away and start again, " + remedy);
  // A disk that is full within a write is an I/O error to LMDB.
  std::error_code unknown;
  const auto space = std::filesystem::space(folder, unknown);
  if (unknown) return with(Errc::io, text);
  return with(Errc::io, text + " (" + std::to_string(space.available) + " bytes are free on that disk)");
}

Result<std::unique_ptr<LmdbEnvironment>> LmdbEnvironment::open(const LmdbErrors& errors, Kind kind,
                                                               std::uint64_t initial_map, std::uint64_t max_map) {
  std::unique_ptr<LmdbEnvironment> out(new LmdbEnvironment);
  const bool named = kind == Kind::named;
  if (named) OPP2P_TRYV(reserve_readers(errors));
  const auto file = errors.folder / (named ? kFile : kYoungFile);
  const auto& path = named ? errors.folder : file;
  unsigned flags = named ? 0 : MDB_NOSUBDIR | MDB_NOLOCK;
  if (kind == Kind::draft) flags |= MDB_NOSYNC;
  std::error_code ignored;
  const auto size = std::filesystem::exists(file, ignored) ? std::filesystem::file_size(file, ignored) : 0;
  out->map_size_ = std::max<std::uint64_t>(initial_map, 1 << 20);
  while (out->map_size_ < 2 * size) out->map_size_ *= 2;
  out->map_size_ = std::max<std::uint64_t>(std::min(out->map_size_, max_map), size);
  int code = mdb_env_create(&out->env_);
  if (code == 0) code = mdb_env_set_maxdbs(out->env_, kMostTables);
  if (code == 0) code = mdb_env_set_mapsize(out->env_, out->map_size_);
  // No flag that weakens durability. Readers are tied to their transaction, not to their thread; read-ahead only costs.
  if (code == 0) code = mdb_env_open(out->env_, path.c_str(), MDB_NOTLS | MDB_NORDAHEAD | flags, 0600);
  if (code == MDB_INVALID || code == MDB_VERSION_MISMATCH || code == MDB_CORRUPTED)
    return Error(Errc::malformed, file.string() + " is damaged or no database of opp2p (" + mdb_strerror(code) +
                                      "); move it away and start again, " + errors.remedy);
  if (code != 0) return errors.failed(code, "opening");

  // A page beyond the end of the file would be a fatal signal when it is touched: fill up with zeros, which LMDB
  // recognises as damage wherever a page in use is missing. (Pages that were never used may be missing in a healthy
  // file.)
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(out->env_, &info);
  mdb_env_stat(out->env_, &stat);
  const std::uint64_t needed = (std::uint64_t{info.me_last_pgno} + 1) * stat.ms_psize;
  if (std::filesystem::file_size(file, ignored) < needed) std::filesystem::resize_file(file, needed, ignored);
  return out;
}

LmdbEnvironment::~LmdbEnvironment() {
  if (env_ != nullptr) mdb_env_close(env_);
}

Result<void> LmdbEnvironment::name_young(const LmdbErrors& errors) {
  std::error_code error;
  std::filesystem::rename(errors.folder / kYoungFile, errors.folder / kFile, error);
  if (error) return errors.with(Errc::io, "naming the new database: " + file_error(error.value(), errors.folder));
  return {};
}

void LmdbEnvironment::remove_young(const LmdbErrors& errors) {
  std::error_code ignored;
  std::filesystem::remove(errors.folder / kYoungFile, ignored);
}

// A new file is durable only when the folder that names it is, and a new folder when its parent is.
Result<void> LmdbEnvironment::sync_folder(const LmdbErrors& errors) {
  for (const auto& path : {errors.folder, errors.folder.parent_path()}) {
    const int file = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) continue;  // a parent may be closed to us
    const int code = ::fsync(file) == 0 ? 0 : errno;
    ::close(file);
    if (code != 0 && code != EINVAL)  // some file systems know no sync of folders
      return errors.with(Errc::io, "syncing the folder: " + file_error(code, errors.folder));
  }
  return {};
}

int LmdbEnvironment::grow(std::uint64_t max_map) {
  const std::uint64_t size = std::min(map_size_ * 2, max_map);
  const int code = mdb_env_set_mapsize(env_, size);
  if (code == 0) map_size_ = size;
  return code;
}

}  // namespace libp2p::storage
