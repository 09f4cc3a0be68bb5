#include "apps/devnet/devnet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <set>

#include "apps/devnet/data_folder.hpp"
#include "apps/devnet/member.hpp"
#include "apps/devnet/producer.hpp"
#include "apps/devnet/view.hpp"
#include "libp2p/runtime/entropy.hpp"
#include "opp2p/base/end_signals.hpp"
#include "opstack/payload/payload_json.hpp"

namespace opp2p::devnet {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace secp256k1 = libp2p::crypto::secp256k1;

namespace {

using Clock = std::chrono::steady_clock;
using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;
using libp2p::Seconds;

constexpr auto kStartLimit = Seconds(15);
constexpr auto kSettleLimit = Seconds(10);
constexpr auto kStopLimit = Seconds(5);
constexpr std::string_view kLateJoiner = "late-joiner";
constexpr auto kLateJoin = Seconds(20);
constexpr auto kRedraw = libp2p::Millis(500);
constexpr auto kPlainInterval = Seconds(2);

struct Judgement {
  bool ok = false;
  std::vector<std::string> problems;
};

// A short run leaves the late joiner its last ten seconds, a very short one its second half.
libp2p::Nanos late_join_of(libp2p::Nanos length) {
  return std::min<libp2p::Nanos>(kLateJoin, std::max<libp2p::Nanos>(length - Seconds(10), length / 2));
}

MemberPlace place_of(const Member& member) {
  return {member.name(), member.address(), member.rpc_port(), member.log_path()};
}

class Devnet {
 public:
  Devnet(const DevnetOptions& options, Output& out) : options_(options), out_(out), view_(out, options.json) {
    out_.give_up_when([this] { return signals_.wait(libp2p::Nanos(0)); });
  }
  ~Devnet();

  Result<void> start();
  int run();

 private:
  Result<void> start_members();
  Result<Member> start_node(const std::string& name, std::vector<std::string> extra);
  Result<void> start_intruder();
  Result<void> write_about() const;
  DevnetStart facts() const;
  // The late joiner is started, and looked at until it is up, without holding up what is shown of the others.
  void tend_late_joiner(Clock::time_point late_at);
  bool due(Clock::time_point& last, libp2p::Nanos interval) const;
  std::int64_t seconds() const { return std::chrono::duration_cast<Seconds>(Clock::now() - started_).count(); }
  DevnetStatus status();
  void show();
  void tell_events(const DevnetStatus& status);
  void settle();
  bool settled();
  Judgement judge(bool interrupted);
  int summarise(const Judgement& judgement, const std::vector<NodeRow>& last_rows);
  void stop_members(Judgement* judgement);

  DevnetOptions options_;
  Output& out_;
  EndSignals signals_;
  View view_;
  libp2p::runtime::SystemRng rng_;
  DataFolder folder_;
  secp256k1::Secret signer_{};
  std::unique_ptr<opstack::testing::ChainBuilder> chain_;
  std::string static_peers_;
  std::vector<Member> nodes_;  // the sequencer first, the late joiner last
  std::optional<Member> intruder_;
  std::optional<Member> late_;  // until it is up
  Clock::time_point late_started_;
  bool late_done_ = false;       // it is up, or has failed
  bool late_told_ = false;       // that it holds the whole chain
  std::set<std::string> ended_;  // of whom that was told
  std::string late_error_;
  std::unique_ptr<Producer> producer_;
  Clock::time_point started_;
  Clock::time_point shown_;
};

Devnet::~Devnet() {
  producer_.reset();
  stop_members(nullptr);
  out_.give_up_when(nullptr);
  std::error_code ignored;
  if (!options_.keep && folder_.temporary) fs::remove_all(folder_.path, ignored);
}

Result<void> Devnet::start() {
  OPP2P_TRY(folder_, make_data_folder(options_.data_dir));
  signer_ = secp256k1::generate(rng_);
  opstack::testing::ChainOptions chain;
  chain.fork = options_.fork;
  chain.block_time = options_.block_time;
  chain.block_size = options_.block_size;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  chain.genesis_time = static_cast<std::uint64_t>(std::chrono::ceil<Seconds>(now).count()) + 1;
  chain_ = std::make_unique<opstack::testing::ChainBuilder>(chain, rng_);
  OPP2P_TRYV(write_file(folder_.path / "rollup.json", pretty(chain_->rollup_config())));
  OPP2P_TRYV(start_members());
  OPP2P_TRYV(write_about());
  view_.show_start(facts());
  producer_ = std::make_unique<Producer>(*chain_, [this](const Envelope& block) -> Result<void> {
    OPP2P_TRY(const auto answer, nodes_.front().call("admin_publishUnsafePayload", {opstack::payload::to_json(block)}));
    return {};
  });
  started_ = Clock::now();
  producer_->start();
  return {};
}

Result<Member> Devnet::start_node(const std::string& name, std::vector<std::string> extra) {
  const auto folder = (folder_.path / name).string();
  std::vector<std::string> command = {own_program(),
                                      "node",
                                      "--rollup.config",
                                      (folder_.path / "rollup.json").string(),
                                      "--data-dir",
                                      folder,
                                      "--p2p.listen.ip",
                                      "127.0.0.1",
                                      "--p2p.listen.tcp",
                                      "0",
                                      "--p2p.priv.path",
                                      folder + "/p2p_priv.txt",
                                      "--p2p.unsafe.block.signer",
                                      libp2p::to_hex0x(secp256k1::address_of(signer_)),
                                      "--rpc.addr",
                                      "127.0.0.1",
                                      "--rpc.port",
                                      "0",
                                      "--log.level",
                                      options_.log_level};
  auto peers = static_peers_;
  for (const auto& address : options_.join) peers += (peers.empty() ? "" : ",") + address;
  if (!peers.empty()) extra.insert(extra.end(), {"--p2p.static", peers});
  command.insert(command.end(), extra.begin(), extra.end());
  OPP2P_TRY(auto member, Member::start(name, folder, std::move(command)));
  return member;
}

// Each node dials all that were started before it.
Result<void> Devnet::start_members() {
  for (std::size_t i = 0; i <= options_.followers; ++i) {
    const auto name = i == 0 ? std::string("sequencer") : "follower-" + std::to_string(i);
    std::vector<std::string> extra;
    if (i == 0) extra = {"--p2p.sequencer.key", libp2p::to_hex(signer_), "--rpc.enable-admin"};
    OPP2P_TRY(auto member, start_node(name, std::move(extra)));
    OPP2P_TRYV(member.wait_ready(kStartLimit, [this] { return signals_.came(); }));
    static_peers_ += (static_peers_.empty() ? "" : ",") + member.address();
    nodes_.push_back(std::move(member));
  }
  return start_intruder();
}

// It gets the sequencer's key, because a wrong hash or an old timestamp is only looked at behind a good signature.
Result<void> Devnet::start_intruder() {
  const auto folder = (folder_.path / "intruder").string();
  std::vector<std::string> command = {own_program(),     "devnet-intruder",
                                      "--rollup.config", (folder_.path / "rollup.json").string(),
                                      "--fork",          std::string(to_string(options_.fork)),
                                      "--signer.key",    libp2p::to_hex(signer_),
                                      "--data-dir",      folder,
                                      "--peers",         static_peers_};
  OPP2P_TRY(auto member, Member::start("intruder", folder, std::move(command)));
  OPP2P_TRYV(member.wait_ready(kStartLimit, [this] { return signals_.came(); }));
  intruder_.emplace(std::move(member));
  return {};
}

void Devnet::tend_late_joiner(Clock::time_point late_at) {
  if (late_done_ || Clock::now() < late_at) return;
  const auto done = [this]() -> Result<bool> {
    if (!late_) {
      OPP2P_TRY(auto member, start_node(std::string(kLateJoiner), {}));
      late_.emplace(std::move(member));
      late_started_ = Clock::now();
    }
    OPP2P_TRY(const bool ready, late_->look_ready());
    if (!ready && Clock::now() - late_started_ >= kStartLimit)
      return fail(Errc::timed_out, "the late joiner did not start in time; see " + late_->log_path());
    return ready;
  }();
  late_done_ = !done || *done;
  if (!done) {
    late_error_ = done.error().text();
    view_.show_event(seconds(), std::string(kLateJoiner), {Colour::red, "is not up: " + done.error().text()});
  } else if (*done) {
    view_.show_joined(seconds(), producer_->head(), place_of(*late_));
    nodes_.push_back(*std::move(late_));
    late_.reset();
  }
}

DevnetStart Devnet::facts() const {
  DevnetStart out;
  out.chain_id = chain_->options().chain_id;
  out.fork = to_string(options_.fork);
  out.block_time = options_.block_time;
  out.signer = libp2p::to_hex0x(secp256k1::address_of(signer_));
  out.folder = folder_.path.string();
  for (const auto& node : nodes_) out.nodes.push_back(place_of(node));
  out.intruder = place_of(*intruder_);
  return out;
}

// devnet.json: the same for programs and people that come later.
Result<void> Devnet::write_about() const {
  const auto known = facts();
  json::array addresses;
  json::array nodes;
  for (const auto& node : known.nodes) {
    addresses.emplace_back(node.address);
    nodes.push_back(to_json(node));
  }
  json::object about;
  about["chainId"] = known.chain_id;
  about["rollupConfig"] = (folder_.path / "rollup.json").string();
  about["signer"] = known.signer;
  about["addresses"] = std::move(addresses);
  about["nodes"] = std::move(nodes);
  return write_file(folder_.path / "devnet.json", pretty(about));
}

bool Devnet::due(Clock::time_point& last, libp2p::Nanos interval) const {
  if (Clock::now() - last < interval) return false;
  last = Clock::now();
  return true;
}

DevnetStatus Devnet::status() {
  DevnetStatus out;
  out.seconds = seconds();
  out.head = producer_->head();
  for (auto& node : nodes_) out.rows.push_back(node.row());
  if (late_ && !late_done_) out.rows.push_back(late_->row());
  out.foreign_peers = !options_.join.empty();
  out.intruder_runs = intruder_->process().running();
  return out;
}

void Devnet::show() {
  const auto now = status();
  tell_events(now);
  view_.show_status(now);
}

// What happened once, and is not to be drawn over.
void Devnet::tell_events(const DevnetStatus& status) {
  for (const auto& node : nodes_) {
    const auto row =
        std::find_if(status.rows.begin(), status.rows.end(), [&](const NodeRow& r) { return r.name == node.name(); });
    if (row == status.rows.end()) continue;
    if (row->state.starts_with("ended") && ended_.insert(row->name).second)
      view_.show_event(status.seconds, row->name, {Colour::red, row->state + "; its log: " + node.log_path()});
    if (row->name != kLateJoiner || late_told_ || row->head == 0 || row->head < status.head ||
        row->missing.value_or(0) > 0)
      continue;
    late_told_ = true;
    view_.show_event(status.seconds, row->name,
                     {Colour::green, fmt::format("has all {} blocks, {} of them fetched", row->head, row->filled)});
  }
}

int Devnet::run() {
  const auto length = options_.for_seconds ? libp2p::Nanos(Seconds(*options_.for_seconds)) : libp2p::Nanos::max();
  const auto late_at = started_ + late_join_of(length);
  const auto redraw = view_.form() == View::Form::in_place ? libp2p::Nanos(kRedraw) : libp2p::Nanos(kPlainInterval);
  bool interrupted = signals_.came();
  while (!interrupted && !out_.failed() && Clock::now() - started_ < length) {
    interrupted = signals_.wait(libp2p::Millis(100));
    tend_late_joiner(late_at);
    if (due(shown_, redraw)) show();
  }
  producer_->stop();
  if (out_.failed()) return 1;  // nobody learns any more of how it went
  settle();
  while (late_ && !late_done_) {
    tend_late_joiner(late_at);
    if (signals_.wait(libp2p::Millis(20))) break;
  }
  show();
  auto judgement = judge(interrupted);
  const auto last_rows = status().rows;
  stop_members(&judgement);
  return summarise(judgement, last_rows);
}

bool Devnet::settled() {
  for (auto& node : nodes_) {
    const auto row = node.row();
    if (row.head != producer_->head() || row.missing.value_or(0) != 0) return false;
  }
  return true;
}

// The nodes get some time to finish what is on its way.
void Devnet::settle() {
  const auto until = Clock::now() + kSettleLimit;
  while (Clock::now() < until && !settled()) {
    if (signals_.wait(libp2p::Millis(100))) return;
  }
}

Judgement Devnet::judge(bool interrupted) {
  Judgement out;
  const auto expected = producer_->hashes();
  if (expected.empty() && interrupted) {
    out.problems.push_back("stopped before the first block");
    return out;
  }
  if (expected.empty()) out.problems.push_back("the sequencer published no block");
  if (!producer_->last_error().empty()) out.problems.push_back("publishing failed: " + producer_->last_error());
  if (!late_error_.empty()) out.problems.push_back(late_error_);
  for (auto& node : nodes_) {
    const auto hashes = node.hashes(1);
    if (!hashes) {
      out.problems.push_back(node.name() + ": " + hashes.error().text());
    } else if (*hashes != expected) {
      const auto differs = std::mismatch(hashes->begin(), hashes->end(), expected.begin(), expected.end());
      out.problems.push_back(fmt::format("{} has {} blocks of {} and differs from block {} on", node.name(),
                                         hashes->size(), expected.size(), differs.first - hashes->begin() + 1));
    }
  }
  if (intruder_ && !intruder_->process().running()) out.problems.push_back("the intruder ended by itself");
  std::uint64_t rejected = 0;
  for (auto& node : nodes_)
    for (const auto& [reason, count] : node.row().rejected) rejected += count;
  if (rejected == 0) out.problems.push_back("no node rejected a block of the intruder");
  out.ok = out.problems.empty();
  return out;
}

int Devnet::summarise(const Judgement& judgement, const std::vector<NodeRow>& last_rows) {
  DevnetSummary out;
  out.ok = judgement.ok;
  out.problems = judgement.problems;
  out.blocks = producer_->hashes().size();
  out.rows = last_rows;
  if (options_.keep || !folder_.temporary) out.data = folder_.path.string();
  view_.show_summary(out);
  return judgement.ok ? 0 : 1;
}

// All at once, then each is waited for. Who does not end in order is a problem, and is ended by force with its owner.
void Devnet::stop_members(Judgement* judgement) {
  const auto until = Clock::now() + kStopLimit;
  const auto finish = [&](Member& member) {
    const auto code = member.process().wait(std::max<libp2p::Nanos>(until - Clock::now(), libp2p::Nanos(0)));
    if (judgement == nullptr || (code && *code == 0)) return;
    judgement->ok = false;
    judgement->problems.push_back(member.name() +
                                  (code ? " ended with " + std::to_string(*code) : " does not end on SIGTERM"));
  };
  if (intruder_) intruder_->process().terminate();
  for (auto& node : nodes_) node.process().terminate();
  if (late_) late_->process().terminate();
  for (auto& node : nodes_) finish(node);
  if (late_) finish(*late_);
  if (intruder_) finish(*intruder_);
}

}  // namespace

libp2p::Result<int> run_devnet(const DevnetOptions& options, Output& out) {
  Devnet devnet(options, out);
  OPP2P_TRYV(devnet.start());
  return devnet.run();
}

}  // namespace opp2p::devnet
