// The files of a report. The folder is claimed before the run, so that nobody waits minutes for an error.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "opp2p/base/file_error.hpp"
#include "sim/attacks/report.hpp"

namespace opp2p::sim::attacks {
namespace {

namespace fs = std::filesystem;
using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;

constexpr std::array kFiles = {"report.json", "blocks.csv", "samples.csv", "summary.txt"};

libp2p::Error cannot_write(const fs::path& path, int code) {
  return fail(Errc::io, fmt::format("--out: cannot write {}: {}", path.string(), opp2p::file_error(code, path)));
}

// A new file, or nothing: one that is there is somebody's.
Result<void> write_file(const fs::path& path, std::string_view text) {
  std::FILE* file = std::fopen(path.c_str(), "wxe");
  if (file == nullptr) return cannot_write(path, errno);
  const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int code = errno;
  if (std::fclose(file) != 0 || !whole) return cannot_write(path, whole ? errno : code);
  return {};
}

}  // namespace

Result<void> claim_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return cannot_write(folder, error.value());
  if (!fs::is_directory(folder, error)) return cannot_write(folder, ENOTDIR);
  for (const auto* name : kFiles) {
    const auto path = fs::path(folder) / name;
    if (fs::exists(fs::symlink_status(path, error))) {
      return fail(Errc::io, fmt::format("--out: {} is there already; name another folder, or remove the report in it",
                                        path.string()));
    }
  }
  // Whether files can be made in it: the system is asked by making one.
  const auto probe = fs::path(folder) / kFiles.front();
  OPP2P_TRYV(write_file(probe, ""));
  fs::remove(probe, error);
  return {};
}

Result<void> write_report(const Report& report, const std::string& folder) {
  const std::array texts = {report_json(report) + "\n", blocks_csv(report), samples_csv(report), report_text(report)};
  for (std::size_t i = 0; i < kFiles.size(); ++i) OPP2P_TRYV(write_file(fs::path(folder) / kFiles[i], texts[i]));
  return {};
}

}  // namespace opp2p::sim::attacks
