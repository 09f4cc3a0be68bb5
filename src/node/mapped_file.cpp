#include "node/mapped_file.hpp"

#include <sys/mman.h>

#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>

namespace opp2p::node {
namespace {

std::string real_path(const std::filesystem::path& file) {
  std::error_code error;
  const auto path = std::filesystem::canonical(file, error);
  return error ? std::string() : path.string();
}

// Whether a line of /proc/self/maps or smaps opens the part on a mapping, "begin-end flags offset device inode path", of `path`.
bool is_mapping_of(const std::string& line, const std::string& path) {
  return !path.empty() && line.size() > path.size() && line.ends_with(path) && line[line.size() - path.size() - 1] == ' ';
}

bool opens_a_part(const std::string& line) {
  const auto dash = line.find('-');
  return dash != std::string::npos && dash < line.find(' ');
}

}  // namespace

void release_mapped(const std::filesystem::path& file) {
  const std::string path = real_path(file);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (!is_mapping_of(line, path)) continue;
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    const char* const last = line.data() + line.size();
    const auto first = std::from_chars(line.data(), last, begin, 16);
    if (first.ec != std::errc() || *first.ptr != '-') continue;
    if (std::from_chars(first.ptr + 1, last, end, 16).ec != std::errc()) continue;
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // NOLINT(performance-no-int-to-ptr)
  }
}

std::size_t resident_bytes(const std::filesystem::path& file) {
  const std::string path = real_path(file);
  std::ifstream maps("/proc/self/smaps");
  std::size_t total = 0;
  bool ours = false;
  for (std::string line; std::getline(maps, line);) {
    if (opens_a_part(line)) ours = is_mapping_of(line, path);
    if (ours && line.starts_with("Rss:")) total += std::stoull(line.substr(4)) * 1024;
  }
  return total;
}

}  // namespace opp2p::node
