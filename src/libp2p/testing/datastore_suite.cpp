#include "libp2p/testing/datastore_suite.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "libp2p/base/rng.hpp"

namespace libp2p {
namespace {

using storage::Change;
using storage::Datastore;
using storage::kMaxKey;
using storage::kMaxValue;

using Model = std::map<std::string, Bytes>;

class Case {
 public:
  Case(const DatastoreFactory& made_by, const DatastoreSuiteOptions& given, Findings& to)
      : factory(made_by), options(given), findings(to), rng(given.seed) {
    open();
  }

  void open() {
    store = nullptr;
    auto opened = factory.open();
    if (findings.expect(opened.has_value(), "a datastore that opens", opened ? "" : opened.error().message()))
      store = std::move(*opened);
  }
  bool apply(std::vector<Change> changes) {
    const auto outcome = store->apply(changes);
    return findings.expect(outcome.has_value(), "changes to be taken", outcome ? "" : outcome.error().message());
  }
  bool put(std::string key, std::string_view value) { return apply({{std::move(key), to_bytes(value)}}); }
  void expect_value(std::string_view key, const std::optional<Bytes>& expected) {
    const auto got = store->get(key);
    if (!findings.expect(got.has_value(), "to read a key", got ? "" : got.error().message())) return;
    if (!findings.expect_equal(expected.has_value(), got->has_value(), "whether " + std::string(key) + " is there") ||
        !expected)
      return;
    findings.expect_bytes(*expected, **got, "the value of " + std::string(key));
  }
  Model all(std::string_view prefix = {}) {
    Model out;
    std::string last;
    const auto scanned = store->scan(prefix, [&](std::string_view key, ByteView value) {
      findings.expect(out.empty() || key > last, "a scan in the order of the keys");
      findings.expect(key.starts_with(prefix), "only keys with the prefix");
      last = std::string(key);
      out[last] = to_bytes(value);
      return true;
    });
    findings.expect(scanned.has_value(), "a scan", scanned ? "" : scanned.error().message());
    return out;
  }
  void expect_all(const Model& expected, std::string_view prefix, std::string_view when) {
    const Model came = all(prefix);
    findings.expect(came == expected,
                    std::to_string(expected.size()) + " entries as they were written, " + std::string(when),
                    std::to_string(came.size()) + " entries");
  }

  const DatastoreFactory& factory;
  const DatastoreSuiteOptions& options;
  Findings& findings;
  SeededRng rng;
  std::unique_ptr<Datastore> store;
};

void put_get_erase(Case& test) {
  test.expect_value("/a", std::nullopt);
  if (!test.put("/a", "one")) return;
  test.expect_value("/a", to_bytes("one"));
  test.expect_value("/", std::nullopt);
  test.expect_value("/a/", std::nullopt);
  test.put("/a", "two, which is longer");
  test.expect_value("/a", to_bytes("two, which is longer"));
  test.put("/a", "");
  test.expect_value("/a", Bytes());
  test.apply({{"/a", std::nullopt}});
  test.expect_value("/a", std::nullopt);
  test.apply({{"/a", std::nullopt}});  // what is not there
  test.apply({});
  test.expect_all({}, "", "when all are erased");
}

void the_last_change_counts(Case& test) {
  test.apply({{"/a", to_bytes("1")},
              {"/a", to_bytes("2")},
              {"/b", to_bytes("1")},
              {"/b", std::nullopt},
              {"/c", std::nullopt},
              {"/c", to_bytes("3")}});
  test.expect_all({{"/a", to_bytes("2")}, {"/c", to_bytes("3")}}, "", "in the order of the changes");
}

void all_or_none(Case& test) {
  test.put("/a", "before");
  const Model before = test.all();
  const auto refused = [&](std::string key, std::size_t size, Errc code, std::string_view what) {
    const std::vector<Change> changes = {{"/a", to_bytes("after")}, {std::move(key), Bytes(size)}, {"/z", Bytes()}};
    test.findings.expect_error(code, test.store->apply(changes), what);
    test.expect_all(before, "", "after changes that were refused");
  };
  refused("", 1, Errc::invalid_argument, "an empty key");
  refused(std::string(kMaxKey + 1, 'k'), 1, Errc::invalid_argument, "a key that is too long");
  refused("/big", kMaxValue + 1, Errc::too_large, "a value that is too large");
}

void bounds(Case& test) {
  const std::string longest(kMaxKey, 'k');
  const Bytes largest = suite_pattern(kMaxValue, test.options.seed);
  if (!test.apply({{longest, largest}, {"x", Bytes{0}}})) return;
  test.expect_value(longest, largest);
  test.expect_value("x", Bytes{0});
  test.expect_value("", std::nullopt);
  test.expect_value(longest + "k", std::nullopt);
  test.expect_value(std::string(5000, 'k'), std::nullopt);
  test.expect_all({}, longest + "k", "below a prefix longer than every key");
  test.expect_all({}, std::string(5000, 'k'), "below a prefix longer than every key");
}

void scan_below_a_prefix(Case& test) {
  const std::string high("/p/\xff\xff", 5);
  const std::string with_zero("/p/\0/x", 6);
  Model below;
  for (const std::string& key : {std::string("/p/"), with_zero, std::string("/p/a"), std::string("/p/b/c"), high})
    below[key] = to_bytes(key);
  Model every = below;
  for (const std::string key : {"/o/z", "/p", "/p.", "/p0", "/q/a"}) every[key] = to_bytes(key);
  std::vector<Change> changes;
  for (const auto& [key, value] : every) changes.push_back({key, value});
  std::reverse(changes.begin(), changes.end());
  if (!test.apply(changes)) return;
  test.expect_all(below, "/p/", "below a prefix");
  test.expect_all(every, "", "below the empty prefix");
  test.expect_all({{high, below[high]}}, std::string_view(high).substr(0, 4), "below a prefix that ends with 0xff");
  test.expect_all({}, "/r", "below a prefix of nothing");
}

void scan_ends_when_told(Case& test) {
  test.apply({{"/a", Bytes{1}}, {"/b", Bytes{2}}, {"/c", Bytes{3}}});
  std::size_t seen = 0;
  const auto scanned = test.store->scan("/", [&](std::string_view, ByteView) { return ++seen < 2; });
  test.findings.expect(scanned.has_value(), "a scan that is ended to be no error");
  test.findings.expect(seen == 2, "two visits of a scan that is ended at the second", std::to_string(seen));
}

// Random changes against std::map, opened anew now and then.
void model(Case& test) {
  Model model;
  const auto key = [&] { return "/" + std::string(1 + test.rng.below(3), static_cast<char>('a' + test.rng.below(4))); };
  for (std::size_t step = 0; step < test.options.model_steps && !test.findings.failed(); ++step) {
    std::vector<Change> changes(1 + test.rng.below(8));
    for (Change& change : changes) {
      change.key = key();
      if (test.rng.below(3) == 0) continue;
      change.value = suite_pattern(test.rng.below(20) == 0 ? 9000 : test.rng.below(60), test.rng.below(1 << 30));
    }
    if (!test.apply(changes)) return;
    for (Change& change : changes) {
      if (change.value)
        model[change.key] = *change.value;
      else
        model.erase(change.key);
    }
    const std::string looked = key();
    const auto found = model.find(looked);
    test.expect_value(looked, found == model.end() ? std::nullopt : std::optional(found->second));
    if (step % 16 == 0) test.expect_all(model, "", "after step " + std::to_string(step));
    if (!test.factory.durable || step % 100 != 99) continue;
    test.open();
    if (test.store == nullptr) return;
    test.expect_all(model, "", "opened anew after step " + std::to_string(step));
  }
}

void opened_anew(Case& test) {
  if (!test.factory.durable) return;
  test.put("/a", "stays");
  test.apply({{"/b", Bytes(100'000, 7)}});
  test.open();
  if (test.store == nullptr) return;
  test.expect_all({{"/a", to_bytes("stays")}, {"/b", Bytes(100'000, 7)}}, "", "opened anew");
}

// Two keys are changed together: nobody ever sees them differ.
void a_scan_is_of_one_moment(Case& test) {
  constexpr int kChanges = 60;
  test.apply({{"/pair/1", Bytes{0}}, {"/pair/2", Bytes{0}}});
  std::atomic<bool> ended{false};
  std::atomic<int> torn{0};
  std::atomic<int> failed{0};
  const auto write = [&] {
    for (int i = 1; i <= kChanges; ++i) {
      const Bytes value(static_cast<std::size_t>(i) * 30, static_cast<std::uint8_t>(i));
      const std::vector<Change> changes = {{"/pair/1", value}, {"/pair/2", value}};
      if (!test.store->apply(changes)) ++failed;
    }
    ended = true;
  };
  const auto read = [&] {
    while (!ended) {
      std::vector<Bytes> seen;
      const auto scanned = test.store->scan("/pair/", [&](std::string_view, ByteView value) {
        seen.push_back(to_bytes(value));
        return true;
      });
      if (!scanned) ++failed;
      if (seen.size() != 2 || seen[0] != seen[1]) ++torn;
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(read);
  threads.emplace_back(read);
  write();
  for (auto& thread : threads) thread.join();
  test.findings.expect_equal(0, torn.load(), "scans that saw one change of two");
  test.findings.expect_equal(0, failed.load(), "calls that failed beside others");
}

struct Named {
  std::string_view name;
  void (*run)(Case&);
};

constexpr Named kCases[] = {
    {"put_get_erase", put_get_erase},
    {"the_last_change_counts", the_last_change_counts},
    {"all_or_none", all_or_none},
    {"bounds", bounds},
    {"scan_below_a_prefix", scan_below_a_prefix},
    {"scan_ends_when_told", scan_ends_when_told},
    {"model", model},
    {"opened_anew", opened_anew},
    {"a_scan_is_of_one_moment", a_scan_is_of_one_moment},
};

}  // namespace

std::vector<std::string> datastore_suite_cases() {
  std::vector<std::string> names;
  for (const Named& one : kCases) names.emplace_back(one.name);
  return names;
}

Failures run_datastore_case(std::string_view name, const DatastoreFactory& factory,
                            const DatastoreSuiteOptions& options) {
  for (const Named& one : kCases) {
    if (one.name != name) continue;
    Findings findings(factory.name + " " + std::string(name));
    Case test(factory, options, findings);
    if (test.store != nullptr) one.run(test);
    return findings.take();
  }
  return unknown_case(name);
}

}  // namespace libp2p
