// What the tests of the disk write on it, and what must be there afterwards (store_test_disk.hpp).
#include <fstream>
#include <future>

#include "opp2p/store/store_test_disk.hpp"
#include "opp2p/store/store_test_support.hpp"

namespace opp2p::testing_store {
namespace {

constexpr std::uint64_t kAlwaysKept = 12;  // blocks of the script that fit into the size below, with room to spare

constexpr std::size_t kHoleSize = 3;
constexpr std::uint8_t kMissing = 0xff;  // as the branch of a number: a hole, or what was below it when it was opened

LmdbStoreConfig pruning_config(const fs::path& folder) {
  LmdbStoreConfig config = config_in(folder);
  config.max_size = 256 << 10;
  return config;
}

StoredBlock script_block(std::uint64_t number, std::uint8_t fork, std::uint8_t parent_fork) {
  return block_at(number, number % 5 == 0 ? 9000 : 200 + number * 37 % 1700, fork, parent_fork);
}

class Script {
 public:
  Script(LmdbStore& store, ScriptResult& result) : store_(store), result_(result) {}
  void run() {
    // On the store's thread from the first call on.
    store_.open_era({}, {}, [this](const auto&) { submit(); });
    finished_.get_future().wait();
  }

 private:
  static constexpr std::uint64_t kBatches = 9;

  // One call of the store, after which the chain is `forks_`.
  template <class T>
  BlockStore::Done<T> step() {
    ++waiting_;
    result_.steps.push_back({SIZE_MAX, forks_});
    return [this, index = result_.steps.size() - 1](const Result<T>& outcome) {
      if (outcome) {
        result_.steps[index].acknowledged = Disk::instance().position();
      } else {
        if (!failed_) result_.errors.push_back(outcome.error());
        failed_ = true;
      }
      if (--waiting_ == 0) answered();
    };
  }
  std::uint8_t fork_at(std::uint64_t number) const { return number == 0 ? 0 : forks_[number - 1]; }

  void submit() {
    const std::uint64_t size = failures_ == 0 ? batch_ : (batch_ + 1) / 2;  // other pages than those that were refused
    before_ = forks_;
    hole_before_ = hole_;
    failed_ = false;
    waiting_ = 1;  // held until all is submitted
    ++attempt_;
    fill_hole();
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::uint64_t number = forks_.size() + 1;
      const auto block = script_block(number, 0, fork_at(number - 1));
      forks_.push_back(0);
      store_.keep(block, attestation_of(1, 0), true, step<KeptBlock>());
    }
    if (batch_ % 3 == 0) reorganise();
    if (batch_ % 3 == 1) jump();
    if (batch_ % 3 == 2) rewind();
    if (--waiting_ == 0) answered();
  }

  void reorganise() {
    const std::uint64_t number = forks_.size();
    const std::uint8_t base = fork_at(number - 1);
    const auto lower = script_block(number, attempt_, base);
    const auto upper = script_block(number + 1, attempt_, attempt_);
    store_.keep(lower, std::nullopt, false, step<KeptBlock>());
    store_.keep(upper, std::nullopt, false, step<KeptBlock>());
    forks_.back() = attempt_;
    forks_.push_back(attempt_);
    HeadMove move;
    move.to = upper.ref();
    store_.move_head(move, step<MovedHead>());
  }

  // To a segment of two blocks above a hole, which the next batch fills.
  void jump() {
    const std::uint64_t top = forks_.size();
    const auto lower = script_block(top + kHoleSize + 1, attempt_, attempt_);
    const auto upper = script_block(top + kHoleSize + 2, attempt_, attempt_);
    store_.keep(lower, std::nullopt, false, step<KeptBlock>());
    store_.keep(upper, std::nullopt, false, step<KeptBlock>());
    forks_.insert(forks_.end(), kHoleSize, kMissing);
    forks_.insert(forks_.end(), 2, attempt_);
    hole_ = attempt_;
    HeadMove move;
    move.to = upper.ref();
    move.joined = false;
    move.reason = OrphanReason::segment;
    store_.move_head(move, step<MovedHead>());
  }

  // From its upper end downwards.
  void fill_hole() {
    if (!hole_) return;
    for (std::size_t at = forks_.size(); at-- > 0;) {
      if (forks_[at] != kMissing) continue;
      const std::uint8_t below = at > 0 && forks_[at - 1] == kMissing ? *hole_ : fork_at(at);
      forks_[at] = *hole_;
      store_.keep(script_block(at + 1, *hole_, below), std::nullopt, false, step<KeptBlock>());
    }
    hole_.reset();
  }

  // Some of what it orphans becomes canonical again with the next batch.
  void rewind() {
    const std::size_t to = forks_.size() - 2;
    forks_.resize(to);
    store_.rewind(to, std::nullopt, step<Rewound>());
  }

  void answered() {
    failures_ = failed_ ? failures_ + 1 : 0;
    if (failed_) forks_ = before_;
    if (failed_) hole_ = hole_before_;
    if (!failed_) ++batch_;
    result_.finished = batch_ > kBatches;
    if (result_.finished || failures_ > 1)
      finished_.set_value();
    else
      submit();
  }

  LmdbStore& store_;
  ScriptResult& result_;
  std::promise<void> finished_;
  std::vector<std::uint8_t> forks_;
  std::vector<std::uint8_t> before_;
  std::optional<std::uint8_t> hole_;  // the branch above it
  std::optional<std::uint8_t> hole_before_;
  std::uint64_t batch_ = 1;
  std::uint8_t attempt_ = 0;
  std::uint64_t waiting_ = 0;
  bool failed_ = false;
  int failures_ = 0;
};

}  // namespace

Chains ScriptResult::chains_after(std::size_t cut) const {
  std::size_t first = 0;
  bool any = false;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].acknowledged == SIZE_MAX || steps[i].acknowledged > cut) continue;
    first = i;
    any = true;
  }
  Chains out;
  if (!any) out.emplace_back();
  for (std::size_t i = first; i < steps.size(); ++i) out.push_back(steps[i].forks);
  return out;
}

ScriptResult run_script(const fs::path& folder) {
  ScriptResult result;
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto store = LmdbStore::open(pruning_config(folder), inline_post());
    if (!store) {
      result.errors.push_back(store.error());
      continue;
    }
    Script(**store, result).run();
    if (const auto summary = (*store)->summary()) result.pruned = summary->pruned;
    break;
  }
  return result;
}

Result<std::size_t> check_store(const fs::path& folder, const Chains& chains) {
  const auto begin = std::chrono::steady_clock::now();
  OPP2P_TRY(const auto store, LmdbStore::open(pruning_config(folder), inline_post()));
  if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(1))
    return libp2p::fail(Errc::timed_out, "opening took more than 1 s");
  OPP2P_TRY(const auto summary, store->summary());
  const std::uint64_t head = summary.head ? summary.head->number : 0;
  const std::uint64_t first = summary.lowest.value_or(1);
  const auto wrong = [&](const std::string& what) {
    return libp2p::fail(Errc::mismatch, what + "; expected a head from " + std::to_string(chains.front().size()) +
                                            " to " + std::to_string(chains.back().size()) +
                                            ", found: " + store->recovered());
  };
  OPP2P_TRY(const auto checked, store->check(CheckDepth{}));
  if (checked.defect_count > 0) return wrong(checked.defects.front());
  if (first > 1 && head - first + 1 < kAlwaysKept) return wrong("more blocks are pruned than the size asks for");
  std::vector<std::uint8_t> forks(first - 1);  // what was pruned fits any chain
  std::uint64_t count = 0;
  for (std::uint64_t number = first; head != 0 && number <= head; ++number) {
    OPP2P_TRY(const auto block, store->by_number(number));
    forks.push_back(block ? block->hash[31] : kMissing);
    if (!block) continue;
    ++count;
    if (block->body != script_block(number, forks.back(), 0).body)
      return wrong("block " + std::to_string(number) + " is wrong");
  }
  std::string found = "no blocks";
  if (head != 0) found = std::to_string(count) + " blocks, " + std::to_string(first) + " to " + std::to_string(head);
  if (!store->recovered().starts_with(found)) return wrong("it does not say what it recovered, " + found);
  const auto fits = [&](std::uint8_t expected, std::uint8_t there) {
    return expected == kMissing || expected == there;
  };
  for (const auto& chain : chains) {
    const auto low = static_cast<std::ptrdiff_t>(std::min<std::size_t>(first - 1, chain.size()));
    if (chain.size() <= forks.size() && std::equal(chain.begin() + low, chain.end(), forks.begin() + low, fits))
      return summary.segments.size();
  }
  return wrong("the chain is none of those that it may be");
}

Result<std::size_t> check_image(const DiskImage& image, const Chains& chains) {
  const Folder folder(memory_folder());
  std::ofstream(folder.path() / (image.named ? "data.mdb" : "data.mdb.new"), std::ios::binary)
      << libp2p::as_text(image.data);
  return check_store(folder.path(), chains);
}

}  // namespace opp2p::testing_store
