// Reads the same cases with our decoders and with Go's, and fails on each difference that known.txt does not list:
//   differential JUDGE CORPORA KNOWN [--cases N] [--seed N] [--format NAME]      or: differential --list
// Prints a line for each format: how many cases both accepted, both refused, how many differed in a listed way, the
// seed. A difference is printed with its case in hexadecimal. A format of whose cases less than 5 % are accepted or
// refused fails too: it shows nothing.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <set>
#include <string>

#include "cases.hpp"
#include "judge.hpp"

namespace {

using namespace differential;

constexpr std::size_t kBatch = 2000;
constexpr std::size_t kShown = 5;  // differences of a format

struct Options {
  std::string judge, corpora, known;
  std::uint64_t cases = 10'000;
  std::uint64_t seed = 1;
  std::string format;
};

struct Tally {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t listed = 0;
  std::uint64_t unlisted = 0;
};

struct Compared {
  Bytes input;
  Reading here;
  Answer there;
};

// "FORMAT BOUND reason" in each line.
std::set<std::string> read_known(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read the list of known differences " + path);
  std::set<std::string> out;
  for (std::string line; std::getline(in, line);) {
    const auto second = line.find(' ', line.find(' ') + 1);
    if (!line.empty() && line[0] != '#' && second != std::string::npos) out.insert(line.substr(0, second));
  }
  return out;
}

// Whether both read the case alike; for older_message: whether what older op-nodes forward is read as they read it.
bool alike(Format format, Compared& compared) {
  auto& here = compared.here;
  const auto& there = compared.there;
  if (format == Format::older_message) {
    if (there.verdict == Verdict::refuse) return here.verdict == Verdict::refuse;
    if (there.verdict == Verdict::other) return here.verdict == Verdict::accept;
    here = read_forwarded(there.forwarded());
    return here.verdict == Verdict::accept && here.digest == there.digest();
  }
  if (here.verdict != there.verdict) return false;
  // A message has an id even when it is no snappy.
  const bool nothing_read = here.verdict == Verdict::refuse && format != Format::message_id;
  return nothing_read || here.digest == there.digest();
}

void count(Format format, Compared compared, const std::set<std::string>& known, Tally& tally,
           std::vector<Compared>& shown) {
  if (alike(format, compared)) {
    ++(compared.there.verdict == Verdict::accept ? tally.accepted : tally.refused);
    return;
  }
  if (!compared.here.bound.empty() &&
      known.contains(std::string(name_of(format)) + " " + std::string(compared.here.bound))) {
    ++tally.listed;
    return;
  }
  ++tally.unlisted;
  if (shown.size() < kShown) shown.push_back(std::move(compared));
}

const char* word(Verdict verdict) {
  static constexpr const char* kWords[] = {"refused", "accepted", "incomplete", "other"};
  return kWords[static_cast<std::size_t>(verdict)];
}

bool run_format(Format format, const Options& options, const std::set<std::string>& known, Judge& judge) {
  CaseMaker cases(options.seed * 1000 + static_cast<std::uint64_t>(format), options.corpora);
  const auto started = std::chrono::steady_clock::now();
  Tally tally;
  std::vector<Compared> shown;
  std::vector<Compared> waiting;
  const auto settle = [&] {
    auto answers = judge.receive(waiting.size());
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      waiting[i].there = std::move(answers[i]);
      count(format, std::move(waiting[i]), known, tally, shown);
    }
    waiting.clear();
  };
  for (std::uint64_t done = 0; done < options.cases;) {
    std::vector<Bytes> inputs(static_cast<std::size_t>(std::min<std::uint64_t>(kBatch, options.cases - done)));
    for (auto& input : inputs) input = cases.make(format);
    done += inputs.size();
    judge.send(format, inputs);
    std::vector<Compared> next;
    for (auto& input : inputs) {
      auto here = read_here(format, input);
      next.push_back({std::move(input), std::move(here), {}});
    }
    settle();
    waiting = std::move(next);
  }
  settle();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const double total = static_cast<double>(options.cases);
  const double accepted = 100 * static_cast<double>(tally.accepted) / total;
  const double refused = 100 * static_cast<double>(tally.refused) / total;
  const bool vacuous = accepted < 5 || refused < 5;
  std::printf("%-20s %9llu cases, seed %llu: %.1f%% accepted, %.1f%% refused, %llu listed, %llu differ, %.1f s%s\n",
              std::string(name_of(format)).c_str(), static_cast<unsigned long long>(options.cases),
              static_cast<unsigned long long>(options.seed), accepted, refused,
              static_cast<unsigned long long>(tally.listed), static_cast<unsigned long long>(tally.unlisted), seconds,
              vacuous ? ": below 5%, so it shows nothing" : "");
  for (const auto& difference : shown) {
    std::printf("  case %s\n    here: %s %s\n    Go: %s %s\n",
                libp2p::to_hex(difference.input).substr(0, 20'000).c_str(), word(difference.here.verdict),
                difference.here.text.c_str(), word(difference.there.verdict),
                judge.explain(format, difference.input).substr(0, 2000).c_str());
  }
  std::fflush(stdout);
  return tally.unlisted == 0 && !vacuous;
}

Options read_options(int argc, char** argv) {
  if (argc < 4 || (argc - 4) % 2 != 0)
    throw std::runtime_error("usage: differential JUDGE CORPORA KNOWN [--cases N] [--seed N] [--format NAME]");
  Options out;
  out.judge = argv[1];
  out.corpora = argv[2];
  out.known = argv[3];
  for (int i = 4; i < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--cases") {
      out.cases = std::strtoull(argv[i + 1], nullptr, 10);
    } else if (name == "--seed") {
      out.seed = std::strtoull(argv[i + 1], nullptr, 10);
    } else if (name == "--format") {
      out.format = argv[i + 1];
    } else {
      throw std::runtime_error("unknown option " + name);
    }
  }
  if (out.cases == 0) throw std::runtime_error("--cases is a number above 0");
  return out;
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--list") {
    for (const auto name : kNames) std::printf("%s\n", std::string(name).c_str());
    return 0;
  }
  const auto options = read_options(argc, argv);
  const auto known = read_known(options.known);
  Judge judge(options.judge);
  bool good = true;
  bool any = false;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (!options.format.empty() && options.format != kNames[i]) continue;
    any = true;
    good = run_format(static_cast<Format>(i), options, known, judge) && good;
  }
  if (!any) throw std::runtime_error("there is no format " + options.format);
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "differential: %s\n", error.what());
    return 2;
  }
}
