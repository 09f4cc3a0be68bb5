// What is judged. A table that is full of identities changes what it holds all the time, so its bytes go up and down;
// the slope of the line through all measurements does not.
#include <fmt/format.h>

#include <algorithm>

#include "sim/churn/churn.hpp"
#include "sim/churn/levels.hpp"
#include "sim/churn/trend.hpp"

namespace opp2p::sim::churn {
namespace {

constexpr double kHour = 60;          // minutes
constexpr double kCollections = 120;  // minutes between two of them (opstack/reputation/score_keeper.hpp)
constexpr double kIdentities = 2;     // identities that come back for ever, one to each visited member
// Bytes an hour that the heap of the whole network may grow by. 64 bytes that each visit left behind are twice as many.
constexpr double kHeapGrowth = 64 << 10;
constexpr double kHeapMost = 1.05;     // of its first measurement after the warm-up
constexpr double kHeapLeft = 1 << 20;  // bytes more than before the network was made: what libraries keep
// A table may end higher than it began by this share and so many entries.
constexpr double kTableGrowth = 0.1, kTableSlack = 8;

std::vector<const Checkpoint*> warm(const ChurnReport& report) {
  std::vector<const Checkpoint*> out;
  for (const Checkpoint& one : report.checkpoints)
    if (one.minute >= report.settings.warm_up) out.push_back(&one);
  return out;
}

// Each point becomes the mean of those of one interval between two collections, as far as there are so many: records
// that have expired lie around until the next one.
std::vector<Point> means(const std::vector<Point>& line, const ChurnReport& report) {
  const auto each = static_cast<std::size_t>(std::max(1., kCollections / report.settings.round));
  if (line.size() < each + 1) return line;
  std::vector<Point> out;
  for (std::size_t i = 0; i + each <= line.size(); ++i) {
    Point mean;
    for (std::size_t j = i; j < i + each; ++j) {
      mean.x += line[j].x / static_cast<double>(each);
      mean.y += line[j].y / static_cast<double>(each);
    }
    out.push_back(mean);
  }
  return out;
}

template <class Read>
double growth_an_hour(const ChurnReport& report, const std::vector<const Checkpoint*>& points, const Read& read) {
  std::vector<Point> line;
  for (const Checkpoint* one : points) line.push_back({one->minute / kHour, static_cast<double>(read(*one))});
  return slope(means(line, report));
}

Bar judge_heap_slope(const ChurnReport& report) {
  const double growth = heap_growth(report);
  return {"growth of the heap in an hour", fmt::format("at most {:.0f} KiB", kHeapGrowth / 1024),
          fmt::format("{:.1f} KiB", growth / 1024), growth <= kHeapGrowth};
}

Bar judge_heap_most(const std::vector<const Checkpoint*>& points) {
  const auto most =
      (*std::max_element(points.begin(), points.end(), [](auto* a, auto* b) { return a->heap < b->heap; }))->heap;
  const double share = static_cast<double>(most) / static_cast<double>(std::max<std::uint64_t>(1, points[0]->heap));
  return {"the largest heap after the warm-up", fmt::format("at most {:.0f}% of its beginning", kHeapMost * 100),
          fmt::format("{:.1f}%", share * 100), share <= kHeapMost};
}

// Every counter that the network's size implies, at every measurement.
Bar judge_exact(const ChurnReport& report) {
  const auto expected = expected_levels(report.settings.nodes, report.links);
  std::string wrong;
  std::size_t found = 0;
  for (std::size_t i = 0; i < report.names.size(); ++i) {
    const auto wanted = expected.find(report.names[i]);
    if (wanted == expected.end()) continue;
    ++found;
    for (const Checkpoint& one : report.checkpoints)
      if (one.levels[i] != wanted->second)
        wrong += fmt::format("{}{} {} instead of {} at minute {:.0f}", wrong.empty() ? "" : "; ", wanted->first,
                             one.levels[i], wanted->second, one.minute);
  }
  if (found != expected.size()) wrong += "some counters are not measured";
  return {fmt::format("{} counters at rest", expected.size()), "what the network's size says",
          wrong.empty() ? std::string("equal") : wrong, wrong.empty()};
}

// All the others: a line through them may not go up.
Bar judge_tables(const ChurnReport& report, const std::vector<const Checkpoint*>& points) {
  const auto expected = expected_levels(report.settings.nodes, report.links);
  const double hours = (points.back()->minute - points.front()->minute) / kHour;
  std::string growing;
  std::size_t judged = 0;
  for (std::size_t i = 0; i < report.names.size(); ++i) {
    if (expected.contains(report.names[i])) continue;
    ++judged;
    double mean = 0;
    for (const Checkpoint* one : points)
      mean += static_cast<double>(one->levels[i]) / static_cast<double>(points.size());
    const auto read = [i](const Checkpoint& one) { return one.levels[i]; };
    const double growth = hours * growth_an_hour(report, points, read);
    if (growth > kTableGrowth * mean + kTableSlack)
      growing += fmt::format("{}{} by {:.0f} of {:.0f}", growing.empty() ? "" : "; ", report.names[i], growth, mean);
  }
  return {fmt::format("growth of {} tables after the warm-up", judged),
          fmt::format("at most {:.0f}% and {:.0f} entries", kTableGrowth * 100, kTableSlack),
          growing.empty() ? std::string("none") : growing, growing.empty()};
}

Bar judge_end(const ChurnReport& report) {
  std::string left;
  for (const auto& [name, count] : report.alive_at_end)
    left += fmt::format("{}{} {}", left.empty() ? "" : ", ", count, name);
  return {"objects alive at the end", "none", left.empty() ? std::string("none") : left, left.empty()};
}

Bar judge_heap_end(const ChurnReport& report) {
  const auto left = static_cast<double>(report.heap_after) - static_cast<double>(report.heap_before);
  return {"heap that is left at the end", fmt::format("at most {:.0f} KiB", kHeapLeft / 1024),
          fmt::format("{:.0f} KiB", left / 1024), left <= kHeapLeft};
}

Bar at_least(std::string name, std::uint64_t measured, std::uint64_t least) {
  return {std::move(name), fmt::format("at least {}", least), fmt::format("{}", measured), measured >= least};
}

// Each of the identities that come back is banned anew after its ban, and not before: half of the bans that there
// is time for.
void judge_bans(const ChurnReport& report, std::vector<Bar>& out) {
  const ChurnTally& tally = report.tally;
  out.push_back(
      {"honest peers that a rule banned", "none", fmt::format("{}", tally.honest_banned), tally.honest_banned == 0});
  const double ban = report.settings.ban_minutes;
  const auto rounds = static_cast<std::uint64_t>(kIdentities * report.settings.minutes / (1.3 * ban) / 2);
  out.push_back(at_least("bans of one identity after the one before had ended", tally.banned_again, rounds));
  if (tally.banned_again > 0)
    out.push_back({"time between two bans of one identity", fmt::format("at least {:.0f} min", ban),
                   fmt::format("{:.1f} min", tally.shortest_ban), tally.shortest_ban >= ban});
  out.push_back(at_least("connections that a ban kept out", tally.kept_out, 1));
}

}  // namespace

double heap_growth(const ChurnReport& report) {
  return growth_an_hour(report, warm(report), [](const Checkpoint& one) { return one.heap; });
}

std::vector<Bar> judge(const ChurnReport& report) {
  std::vector<Bar> out;
  const auto points = warm(report);
  const auto wanted =
      static_cast<std::uint64_t>((report.settings.minutes - report.settings.warm_up) / report.settings.round * 0.9);
  out.push_back(at_least("measurements after the warm-up", points.size(), std::max<std::uint64_t>(2, wanted)));
  if (!points.empty()) {
    out.push_back(judge_heap_slope(report));
    out.push_back(judge_heap_most(points));
    out.push_back(judge_exact(report));
    out.push_back(judge_tables(report, points));
  }
  out.push_back(judge_end(report));
  out.push_back(judge_heap_end(report));
  judge_bans(report, out);
  const auto minutes = static_cast<std::uint64_t>(report.settings.minutes);
  out.push_back(at_least("visits", report.tally.visits.came, minutes));
  if (report.settings.nodes > 5)
    out.push_back(at_least("restarts", report.tally.restarts + report.tally.power_losses, minutes / 10));
  return out;
}

}  // namespace opp2p::sim::churn
