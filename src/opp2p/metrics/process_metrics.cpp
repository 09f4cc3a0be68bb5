#include "opp2p/metrics/process_metrics.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <memory>
#include <sstream>

namespace opp2p {
namespace {

constexpr ProcessMetricRow kRows[] = {
    {"process_cpu_seconds_total", MetricType::counter, "Total user and system CPU time spent in seconds."},
    {"process_max_fds", MetricType::gauge, "Maximum number of open file descriptors."},
    {"process_open_fds", MetricType::gauge, "Number of open file descriptors."},
    {"process_resident_memory_bytes", MetricType::gauge, "Resident memory size in bytes."},
    {"process_start_time_seconds", MetricType::gauge, "Start time of the process since unix epoch in seconds."},
    {"process_virtual_memory_bytes", MetricType::gauge, "Virtual memory size in bytes."},
    {"process_virtual_memory_max_bytes", MetricType::gauge, "Maximum amount of virtual memory available in bytes."},
};

std::string read_whole(const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// The kernel writes whole numbers that are not negative.
std::optional<double> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<double>(out);
}

// When the system started, in seconds since 1970: the line btime of /proc/stat.
std::optional<double> boot_time() {
  std::ifstream in("/proc/stat");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("btime ")) return number(std::string_view(line).substr(6));
  return std::nullopt;
}

std::optional<double> open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  if (folder == nullptr) return std::nullopt;
  double out = 0;
  while (const auto* entry = readdir(folder.get())) out += entry->d_name[0] != '.';
  return out - 1;  // without that of the folder itself
}

std::optional<double> limit_of(__rlimit_resource resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

std::span<const ProcessMetricRow> process_metric_rows() { return kRows; }

std::optional<ProcessStat> parse_process_stat(std::string_view line, double ticks_per_second, double page_size) {
  // The second field is the program's name in parentheses, which may hold anything.
  const auto name_end = line.rfind(')');
  if (name_end == line.npos || ticks_per_second <= 0) return std::nullopt;
  std::array<std::string_view, 22> fields;  // from the third on
  std::size_t count = 0;
  for (auto left = line.substr(name_end + 1); count < fields.size();) {
    const auto begin = left.find_first_not_of(" \n");
    if (begin == left.npos) break;
    left.remove_prefix(begin);
    const auto end = std::min(left.find_first_of(" \n"), left.size());
    fields[count++] = left.substr(0, end);
    left.remove_prefix(end);
  }
  if (count < fields.size()) return std::nullopt;
  const auto user = number(fields[11]);
  const auto system = number(fields[12]);
  const auto start = number(fields[19]);
  const auto size = number(fields[20]);
  const auto resident = number(fields[21]);
  if (!user || !system || !start || !size || !resident) return std::nullopt;
  ProcessStat out;
  out.cpu_seconds = (*user + *system) / ticks_per_second;
  out.start_ticks = *start;
  out.virtual_bytes = *size;
  out.resident_bytes = *resident * page_size;
  return out;
}

std::vector<prometheus::MetricFamily> collect_process_metrics() {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto stat =
      parse_process_stat(read_whole("/proc/self/stat"), ticks, static_cast<double>(sysconf(_SC_PAGESIZE)));
  const auto boot = boot_time();
  std::array<std::optional<double>, std::size(kRows)> values;
  if (stat) values[0] = stat->cpu_seconds;
  values[1] = limit_of(RLIMIT_NOFILE);
  values[2] = open_descriptors();
  if (stat) values[3] = stat->resident_bytes;
  if (stat && boot) values[4] = *boot + stat->start_ticks / ticks;
  if (stat) values[5] = stat->virtual_bytes;
  values[6] = limit_of(RLIMIT_AS);
  std::vector<prometheus::MetricFamily> out;
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    if (!values[i]) continue;
    const bool counter = kRows[i].type == MetricType::counter;
    prometheus::ClientMetric metric;
    (counter ? metric.counter.value : metric.gauge.value) = *values[i];
    out.push_back({std::string(kRows[i].name),
                   std::string(kRows[i].help),
                   counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge,
                   {metric}});
  }
  return out;
}

}  // namespace opp2p
