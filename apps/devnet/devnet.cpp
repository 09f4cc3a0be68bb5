#include "apps/devnet/devnet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "apps/devnet/stage.hpp"
#include "apps/devnet/story.hpp"
#include "apps/devnet/view.hpp"
#include "opp2p/base/end_signals.hpp"

namespace opp2p::devnet {
namespace {

using Clock = std::chrono::steady_clock;
using libp2p::Nanos;
using libp2p::Result;
using libp2p::Seconds;

constexpr auto kLastStartLimit = Seconds(15);
constexpr auto kSettleLimit = Seconds(10);
constexpr std::int64_t kBlocksOfLimit = 5;  // that a step may take beyond its limit
constexpr auto kTurn = libp2p::Millis(100);
constexpr auto kLook = libp2p::Millis(300);
constexpr auto kRedraw = libp2p::Millis(500);
constexpr auto kPlainInterval = Seconds(2);

const StoryKind& kind_of(const std::string& name) {
  for (const auto& kind : stories())
    if (kind.name == name) return kind;
  return default_story();
}

std::unique_ptr<Story> make_story(const DevnetOptions& options) {
  StorySetting setting;
  setting.followers = options.followers;
  setting.block_time = Seconds(options.block_time);
  if (options.for_seconds) setting.length = Seconds(*options.for_seconds);
  return kind_of(options.story).make(setting);
}

class Devnet final : StageListener {
 public:
  Devnet(const DevnetOptions& options, Output& out)
      : options_(options),
        out_(out),
        view_(out, options.json),
        story_(make_story(options)),
        plan_(story_->plan()),
        steps_(story_->steps()),
        stage_(options, [this] { return signals_.came(); }, *this) {
    out_.give_up_when([this] { return signals_.wait(Nanos(0)); });
  }
  ~Devnet() override { out_.give_up_when(nullptr); }

  Result<void> start();
  int run();

 private:
  void on_event(const std::string& name, const Event& event) override;
  void on_up(const MemberPlace& place, bool again) override;

  std::int64_t seconds() const { return std::chrono::duration_cast<Seconds>(Clock::now() - started_).count(); }
  bool due(Clock::time_point& last, Nanos interval) const;
  bool is_over() const;
  void take_turn();
  void tell_story();
  void break_off();
  void show() { view_.show_status(stage_.status()); }
  void settle(bool interrupted);
  bool settled() const;
  int conclude(bool interrupted);

  const DevnetOptions options_;
  Output& out_;
  EndSignals signals_;
  View view_;
  const std::unique_ptr<Story> story_;
  const Plan plan_;
  const std::vector<Step> steps_;
  std::size_t next_step_ = 0;
  bool failed_ = false;  // a step did not come or could not be made: the rest is not told
  Stage stage_;
  Clock::time_point started_;
  Clock::time_point looked_;
  Clock::time_point shown_;
};

Result<void> Devnet::start() {
  if (!plan_.static_peers && !options_.join.empty())
    return libp2p::fail(libp2p::Errc::invalid_argument,
                        "--join does not go with --story " + options_.story +
                            ": the story splits the network, and the other peers would connect its halves");
  OPP2P_TRYV(stage_.open(plan_));
  auto facts = stage_.facts();
  const auto& kind = kind_of(options_.story);
  facts.story = kind.name;
  facts.about = kind.about;
  view_.show_start(facts);
  started_ = Clock::now();
  return stage_.begin();
}

void Devnet::on_event(const std::string& name, const Event& event) { view_.show_event(seconds(), name, event); }

void Devnet::on_up(const MemberPlace& place, bool again) {
  view_.show_joined(seconds(), stage_.record().head.number, place, again);
}

bool Devnet::due(Clock::time_point& last, Nanos interval) const {
  if (Clock::now() - last < interval) return false;
  last = Clock::now();
  return true;
}

bool Devnet::is_over() const {
  if (options_.for_seconds && Clock::now() - started_ >= Seconds(*options_.for_seconds)) return true;
  return !plan_.goes_on && (failed_ || next_step_ == steps_.size());
}

// The steps that have come.
void Devnet::tell_story() {
  while (!failed_ && next_step_ < steps_.size()) {
    const auto& step = steps_[next_step_];
    const auto& seen = stage_.record();
    if (!step.when(seen)) {
      failed_ = step.limit && seen.since_step > *step.limit;
      if (failed_)
        stage_.add_problem(
            fmt::format("not within {} s: {}", std::chrono::duration_cast<Seconds>(*step.limit).count(), step.awaits));
      return;
    }
    if (step.act) {
      if (const auto done = step.act(stage_); !done) {
        failed_ = true;
        stage_.add_problem(step.awaits + ": " + done.error().text());
      }
    }
    ++next_step_;
    stage_.step_done();
    if (step.act) return;  // what has come of it is looked at first
  }
}

// A story cannot go on without one of its nodes.
void Devnet::break_off() {
  const auto lives = [](const NodeRecord& node) { return !node.row.state.starts_with("ended"); };
  if (plan_.goes_on || failed_ || next_step_ == steps_.size() || stage_.record().all_running(lives)) return;
  failed_ = true;
  stage_.add_problem("broken off before: " + steps_[next_step_].awaits);
}

void Devnet::take_turn() {
  if (!due(looked_, kLook)) return;
  stage_.look();
  break_off();
  tell_story();
}

int Devnet::run() {
  const auto redraw = view_.form() == View::Form::in_place ? Nanos(kRedraw) : Nanos(kPlainInterval);
  bool interrupted = signals_.came();
  while (!interrupted && !out_.failed() && !is_over()) {
    interrupted = signals_.wait(kTurn);
    take_turn();
    if (due(shown_, redraw)) show();
  }
  stage_.stop_production();
  if (out_.failed()) return 1;  // nobody learns any more of how it went
  settle(interrupted);
  show();
  return conclude(interrupted);
}

bool Devnet::settled() const {
  const auto& record = stage_.record();
  return record.all_running([&](const NodeRecord& node) {
    if (node.is_up()) return node.row.head == record.head && !node.row.gap;
    return node.row.state != "starting" && node.row.state != "silent";  // nothing more comes of it
  });
}

// The nodes get some time to finish what is on its way: those that start, to be up, and then all, to have the chain.
void Devnet::settle(bool interrupted) {
  const auto is_starting = [](const NodeRecord& node) { return node.row.state != "starting"; };
  const auto start_until = Clock::now() + kLastStartLimit;
  auto until = Clock::now() + kSettleLimit;
  for (;;) {
    stage_.look();
    if (!interrupted) tell_story();
    if (settled()) return;
    if (!stage_.record().all_running(is_starting) && Clock::now() < start_until) until = Clock::now() + kSettleLimit;
    if (Clock::now() >= until || signals_.wait(kTurn)) return;
  }
}

int Devnet::conclude(bool interrupted) {
  stage_.end(interrupted, next_step_ == steps_.size());
  stage_.read_chains();
  const auto& record = stage_.record();
  const bool is_broken_off = !failed_ && !record.story_ended && !(interrupted && plan_.goes_on);
  if (is_broken_off)
    stage_.add_problem((interrupted ? "interrupted before: " : "did not happen: ") + steps_[next_step_].awaits);
  DevnetSummary out;
  out.checks = judge_run(record);
  if (!record.chain.empty()) append(out.checks, story_->judge(record));
  out.rows = stage_.status().rows;
  append(out.checks, stage_.stop_all());
  out.story = kind_of(options_.story).name;
  out.headline = options_.story.empty() ? "Every node has exactly the sequencer's chain."
                                        : fmt::format("The story {} went as told.", options_.story);
  out.blocks = record.chain.size();
  if (options_.keep || !stage_.folder().temporary) out.data = stage_.folder().path.string();
  view_.show_summary(out);
  return all_ok(out.checks) ? 0 : 1;
}

}  // namespace

std::vector<StoryName> story_names() {
  std::vector<StoryName> out;
  for (const auto& kind : stories()) out.push_back({kind.name, kind.about});
  return out;
}

libp2p::Result<int> run_devnet(const DevnetOptions& options, Output& out) {
  Devnet devnet(options, out);
  OPP2P_TRYV(devnet.start());
  return devnet.run();
}

}  // namespace opp2p::devnet
