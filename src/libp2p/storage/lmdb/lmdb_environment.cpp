#include "libp2p/storage/lmdb/lmdb_environment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "libp2p/storage/file_error.hpp"

namespace libp2p::storage {
namespace {

constexpr off_t kReaderTable = 32 << 10;  // bytes, 64 for each of the reads that can happen at a time
constexpr MDB_dbi kMostTables = 16;
constexpr int kDamagedExit = 1;  // of the process

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

Error damage_text(const LmdbErrors& errors, const std::filesystem::path& file, std::string_view why) {
  return fail(Errc::malformed, file.string() + " is damaged or no database of opp2p (" + std::string(why) +
                                   "); move it away and start again, " + errors.remedy);
}

// LMDB's assertions, which cannot return: it holds locks, and its transaction is in an unknown state. What was
// committed is safe, and what was not is as after a crash.
[[noreturn]] void end_for_damage(const std::string& text, const char* assertion) {
  const std::string line = "opp2p: " + text + " [" + assertion + "]\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  std::quick_exit(kDamagedExit);
}

class OpenFile {
 public:
  // Not blocking: what has the name may be a pipe.
  explicit OpenFile(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (file_ >= 0) ::close(file_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return file_; }

 private:
  int file_;
};

Result<std::size_t> read_at(int file, std::uint64_t offset, MutableBytes out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto n = ::pread(file, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error(Errc::io);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

// The size of the file, whose pages hold together; 0 when there is none.
Result<std::uint64_t> check_file(const LmdbErrors& errors, const std::filesystem::path& path,
                                 LmdbEnvironment::Kind kind, std::uint64_t checked_pages) {
  const OpenFile file(path);
  if (file.get() < 0 && errno == ENOENT) return std::uint64_t{0};
  struct stat found{};
  if (file.get() < 0 || ::fstat(file.get(), &found) != 0) return errors.failed(errno, "opening");
  if (!S_ISREG(found.st_mode)) return errors.with(Errc::mismatch, path.string() + " is no file; name another folder");
  const auto size = static_cast<std::uint64_t>(found.st_size);
  // A young file may have been left so by who was killed. One gets its name with pages in it.
  if (size == 0 && kind != LmdbEnvironment::Kind::named) return size;
  if (size == 0) return damage_text(errors, path, "it is empty");
  int code = 0;
  const auto checked = check_lmdb_file(
      [&](std::uint64_t offset, MutableBytes out) {
        auto read = read_at(file.get(), offset, out);
        if (!read) code = errno;
        return read;
      },
      size, checked_pages);
  if (code != 0) return errors.failed(code, "reading");
  if (!checked && checked.error() == Errc::mismatch)
    return errors.with(Errc::mismatch, checked.error().text() + "; name another folder");
  if (!checked) return damage_text(errors, path, checked.error().text());
  return size;
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
                                                               std::uint64_t initial_map, std::uint64_t max_map,
                                                               std::uint64_t checked_pages) {
  std::unique_ptr<LmdbEnvironment> out(new LmdbEnvironment);
  const auto file = errors.folder / (kind == Kind::named ? kFile : kYoungFile);
  OPP2P_TRY(const auto size, check_file(errors, file, kind, checked_pages));
  if (kind == Kind::named) OPP2P_TRYV(reserve_readers(errors));
  out->map_size_ = std::max<std::uint64_t>(initial_map, 1 << 20);
  while (out->map_size_ < 2 * size) out->map_size_ *= 2;
  out->map_size_ = std::max<std::uint64_t>(std::min(out->map_size_, max_map), size);
  OPP2P_TRYV(out->map(errors, kind, file));
  return out;
}

Result<void> LmdbEnvironment::map(const LmdbErrors& errors, Kind kind, const std::filesystem::path& file) {
  const bool named = kind == Kind::named;
  const auto& path = named ? errors.folder : file;
  unsigned flags = named ? 0 : MDB_NOSUBDIR | MDB_NOLOCK;
  if (kind == Kind::draft) flags |= MDB_NOSYNC;
  int code = mdb_env_create(&env_);
  if (code == 0) code = mdb_env_set_maxdbs(env_, kMostTables);
  if (code == 0) code = mdb_env_set_mapsize(env_, map_size_);
  fatal_ = damage_text(errors, file, "LMDB found it so while it was in use").text();
  if (code == 0) code = mdb_env_set_userctx(env_, this);
  if (code == 0)
    code = mdb_env_set_assert(env_, [](MDB_env* env, const char* assertion) {
      end_for_damage(static_cast<const LmdbEnvironment*>(mdb_env_get_userctx(env))->fatal_, assertion);
    });
  // No flag that weakens durability. Readers are tied to their transaction, not to their thread; read-ahead only costs.
  if (code == 0) code = mdb_env_open(env_, path.c_str(), MDB_NOTLS | MDB_NORDAHEAD | flags, 0600);
  if (code == MDB_INVALID || code == MDB_VERSION_MISMATCH || code == MDB_CORRUPTED)
    return damage_text(errors, file, mdb_strerror(code));
  if (code != 0) return errors.failed(code, "opening");

  // A page beyond the end of the file would be a fatal signal when it is touched. Those that are in use are there
  // (check_file), free ones may be missing.
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat);
  std::error_code ignored;
  const std::uint64_t needed = (std::uint64_t{info.me_last_pgno} + 1) * stat.ms_psize;
  if (std::filesystem::file_size(file, ignored) < needed) std::filesystem::resize_file(file, needed, ignored);
  return {};
}

bool LmdbEnvironment::is_there(const LmdbErrors& errors) {
  std::error_code error;
  const auto file = errors.folder / kFile;
  return std::filesystem::exists(file, error);
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

int LmdbEnvironment::resize(std::uint64_t size) {
  const int code = mdb_env_set_mapsize(env_, size);
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  map_size_ = info.me_mapsize;
  return code;
}

}  // namespace libp2p::storage
