#include "node/devnet/devnet.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "node/devnet/member.hpp"
#include "node/devnet/producer.hpp"
#include "node/devnet/table.hpp"
#include "opstack/payload/payload_json.hpp"
#include "runtime/entropy.hpp"

namespace opp2p::node::devnet {
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
constexpr auto kLateJoin = Seconds(20);
constexpr auto kRedraw = libp2p::Millis(500);
constexpr auto kPlainInterval = Seconds(2);

// Waits for Ctrl-C or a polite end. The signals are blocked, so that they are taken here and nowhere else.
class SignalWait {
 public:
  SignalWait() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGINT);
    ::sigaddset(&set_, SIGTERM);
    ::sigaddset(&set_, SIGPIPE);  // nobody reads our output any more: an end like the others
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  // Signals that came twice are used up: they were meant for the run that is over.
  ~SignalWait() {
    while (wait(libp2p::Nanos(0))) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SignalWait(const SignalWait&) = delete;
  SignalWait& operator=(const SignalWait&) = delete;

  // True when a signal came within the time.
  bool wait(libp2p::Nanos time) {
    const auto seconds = std::chrono::duration_cast<Seconds>(time);
    const timespec limit{seconds.count(), (time - seconds).count()};
    return ::sigtimedwait(&set_, nullptr, &limit) > 0;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

Result<void> write_file(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return fail(Errc::io, "cannot write " + path.string());
  return {};
}

std::string pretty(const json::object& object) {
  std::string out = "{\n";
  for (std::size_t i = 0; const auto& item : object)
    out += "  " + json::serialize(json::string(item.key())) + ": " + json::serialize(item.value()) +
           (++i < object.size() ? ",\n" : "\n");
  return out + "}\n";
}

struct Verdict {
  bool ok = false;
  std::vector<std::string> problems;
};

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// A short run leaves the late joiner its last ten seconds, a very short one its second half.
libp2p::Nanos late_join_of(libp2p::Nanos length) {
  return std::min<libp2p::Nanos>(kLateJoin, std::max<libp2p::Nanos>(length - Seconds(10), length / 2));
}

class Devnet {
 public:
  explicit Devnet(const DevnetOptions& options) : options_(options) {}
  ~Devnet();

  Result<void> start();
  int run();

 private:
  Result<void> prepare_folder();
  Result<void> start_members();
  Result<Member> start_node(const std::string& name, std::vector<std::string> extra);
  Result<void> start_late_joiner();
  Result<void> start_intruder();
  void announce() const;
  bool due(Clock::time_point& last, libp2p::Nanos interval) const;
  void show(bool last);
  std::vector<NodeRow> rows();
  void settle();
  bool settled();
  Verdict judge();
  int summarise(const Verdict& verdict, const std::vector<NodeRow>& last_rows);
  void stop_members(Verdict* verdict);

  DevnetOptions options_;
  SignalWait signals_;
  libp2p::runtime::SystemRng rng_;
  fs::path folder_;
  bool temporary_ = false;
  bool terminal_ = false;
  secp256k1::Secret signer_{};
  std::unique_ptr<ChainBuilder> chain_;
  std::string static_peers_;
  std::vector<Member> nodes_;  // the sequencer first, the late joiner last
  std::optional<Member> intruder_;
  bool late_started_ = false;
  std::string late_error_;
  std::unique_ptr<Producer> producer_;
  Clock::time_point started_;
  Clock::time_point shown_;
  std::size_t drawn_lines_ = 0;
};

Devnet::~Devnet() {
  producer_.reset();
  stop_members(nullptr);
  std::error_code ignored;
  if (!options_.keep && temporary_) fs::remove_all(folder_, ignored);
}

Result<void> Devnet::prepare_folder() {
  std::error_code error;
  if (options_.data_dir.empty()) {
    std::string name = (fs::temp_directory_path() / "opp2p-devnet-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return fail(Errc::io, "cannot make a temporary folder like " + name);
    folder_ = name;
    temporary_ = true;
  } else {
    folder_ = fs::absolute(options_.data_dir);
    if (fs::exists(folder_) && !fs::is_empty(folder_, error))
      return fail(Errc::io, "--data-dir " + folder_.string() + " is not empty; choose another or remove it");
    fs::create_directories(folder_, error);
    if (error) return fail(Errc::io, "cannot create --data-dir " + folder_.string() + ": " + error.message());
  }
  return {};
}

Result<void> Devnet::start() {
  terminal_ = !options_.json && ::isatty(STDOUT_FILENO) == 1;
  OPP2P_TRYV(prepare_folder());
  signer_ = secp256k1::generate(rng_);
  ChainOptions chain;
  chain.fork = options_.fork;
  chain.block_time = options_.block_time;
  chain.block_size = options_.block_size;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  chain.genesis_time = static_cast<std::uint64_t>(std::chrono::ceil<Seconds>(now).count()) + 1;
  chain_ = std::make_unique<ChainBuilder>(chain, rng_);
  OPP2P_TRYV(write_file(folder_ / "rollup.json", pretty(chain_->rollup_config())));
  OPP2P_TRYV(start_members());
  json::array addresses;
  for (const auto& node : nodes_) addresses.emplace_back(node.address());
  json::object about;
  about["chainId"] = chain.chain_id;
  about["rollupConfig"] = (folder_ / "rollup.json").string();
  about["signer"] = libp2p::to_hex0x(secp256k1::address_of(signer_));
  about["addresses"] = std::move(addresses);
  OPP2P_TRYV(write_file(folder_ / "devnet.json", pretty(about)));
  announce();
  producer_ = std::make_unique<Producer>(*chain_, [this](const Envelope& block) -> Result<void> {
    OPP2P_TRY(const auto answer, nodes_.front().call("admin_publishUnsafePayload", {opstack::payload::to_json(block)}));
    return {};
  });
  started_ = Clock::now();
  producer_->start();
  return {};
}

Result<Member> Devnet::start_node(const std::string& name, std::vector<std::string> extra) {
  const auto folder = (folder_ / name).string();
  std::vector<std::string> command = {own_program(), "node",
                                      "--rollup.config", (folder_ / "rollup.json").string(),
                                      "--data-dir", folder,
                                      "--p2p.listen.ip", "127.0.0.1", "--p2p.listen.tcp", "0",
                                      "--p2p.priv.path", folder + "/p2p_priv.txt",
                                      "--p2p.unsafe.block.signer", libp2p::to_hex0x(secp256k1::address_of(signer_)),
                                      "--rpc.addr", "127.0.0.1", "--rpc.port", "0",
                                      "--log.level", options_.log_level};
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
    OPP2P_TRYV(member.wait_ready(kStartLimit));
    static_peers_ += (static_peers_.empty() ? "" : ",") + member.address();
    nodes_.push_back(std::move(member));
  }
  return start_intruder();
}

// It gets the sequencer's key, because a wrong hash or an old timestamp is only looked at behind a good signature.
Result<void> Devnet::start_intruder() {
  const auto folder = (folder_ / "intruder").string();
  std::vector<std::string> command = {own_program(), "devnet-intruder",
                                      "--rollup.config", (folder_ / "rollup.json").string(),
                                      "--fork", std::string(to_string(options_.fork)),
                                      "--signer.key", libp2p::to_hex(signer_),
                                      "--data-dir", folder, "--peers", static_peers_};
  OPP2P_TRY(auto member, Member::start("intruder", folder, std::move(command)));
  OPP2P_TRYV(member.wait_ready(kStartLimit));
  intruder_.emplace(std::move(member));
  return {};
}

Result<void> Devnet::start_late_joiner() {
  late_started_ = true;
  OPP2P_TRY(auto member, start_node("late-joiner", {}));
  OPP2P_TRYV(member.wait_ready(kStartLimit));
  nodes_.push_back(std::move(member));
  return {};
}

void Devnet::announce() const {
  const auto signer = libp2p::to_hex0x(secp256k1::address_of(signer_));
  if (options_.json) {
    json::array addresses;
    for (const auto& node : nodes_) addresses.emplace_back(node.address());
    json::object line{{"type", "started"},
                      {"chainId", chain_->options().chain_id},
                      {"fork", to_string(options_.fork)},
                      {"signer", signer},
                      {"rollupConfig", (folder_ / "rollup.json").string()},
                      {"addresses", std::move(addresses)}};
    fmt::print("{}\n", json::serialize(line));
  } else {
    fmt::print("chain {} ({}), a block every {} s\nrollup config  {}\nblock signer   {}\n", chain_->options().chain_id,
               to_string(options_.fork), options_.block_time, (folder_ / "rollup.json").string(), signer);
    for (const auto& node : nodes_) fmt::print("{:<14} {}\n", node.name(), node.address());
    fmt::print("\n");
  }
  std::fflush(stdout);
}

std::vector<NodeRow> Devnet::rows() {
  std::vector<NodeRow> out;
  for (auto& node : nodes_) out.push_back(node.row());
  return out;
}

bool Devnet::due(Clock::time_point& last, libp2p::Nanos interval) const {
  if (Clock::now() - last < interval) return false;
  last = Clock::now();
  return true;
}

void Devnet::show(bool last) {
  const auto now = rows();
  const auto seconds = std::chrono::duration_cast<Seconds>(Clock::now() - started_).count();
  if (options_.json) {
    json::array nodes;
    for (const auto& row : now) nodes.push_back(to_json(row));
    fmt::print("{}\n", json::serialize(json::object{
                           {"type", "status"}, {"seconds", seconds}, {"head", producer_->head()}, {"nodes", std::move(nodes)}}));
  } else if (terminal_) {
    const auto title = fmt::format("devnet, {} s, block {}   (Ctrl-C ends it)", seconds, producer_->head());
    const auto table = cut_lines(render_table(now, title), terminal_width());
    if (drawn_lines_ > 0) fmt::print("\x1b[{}A\x1b[J", drawn_lines_);
    fmt::print("{}", table);
    drawn_lines_ = last ? 0 : static_cast<std::size_t>(std::count(table.begin(), table.end(), '\n'));
  } else {
    fmt::print("--- {} s, block {}\n", seconds, producer_->head());
    for (const auto& row : now) fmt::print("{}\n", render_line(row));
  }
  std::fflush(stdout);
}

int Devnet::run() {
  const auto length = options_.for_seconds ? libp2p::Nanos(Seconds(*options_.for_seconds)) : libp2p::Nanos::max();
  const auto late_at = late_join_of(length);
  bool interrupted = false;
  while (!interrupted && Clock::now() - started_ < length) {
    interrupted = signals_.wait(libp2p::Millis(100));
    if (!late_started_ && Clock::now() - started_ >= late_at) {
      if (const auto joined = start_late_joiner(); !joined) late_error_ = joined.error().message();
    }
    if (due(shown_, terminal_ ? libp2p::Nanos(kRedraw) : libp2p::Nanos(kPlainInterval))) show(false);
  }
  producer_->stop();
  settle();
  show(true);
  auto verdict = judge();
  const auto last_rows = rows();
  stop_members(&verdict);
  return summarise(verdict, last_rows);
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

Verdict Devnet::judge() {
  Verdict out;
  const auto expected = producer_->hashes();
  if (expected.empty()) out.problems.push_back("the sequencer published no block");
  if (!producer_->last_error().empty()) out.problems.push_back("publishing failed: " + producer_->last_error());
  if (!late_error_.empty()) out.problems.push_back(late_error_);
  for (auto& node : nodes_) {
    const auto hashes = node.hashes(1);
    if (!hashes) {
      out.problems.push_back(node.name() + ": " + hashes.error().message());
    } else if (*hashes != expected) {
      const auto differs = std::mismatch(hashes->begin(), hashes->end(), expected.begin(), expected.end());
      out.problems.push_back(fmt::format("{} holds {} blocks of {}, and differs from block {} on", node.name(), hashes->size(),
                                         expected.size(), differs.first - hashes->begin() + 1));
    }
  }
  if (intruder_ && !intruder_->process().running()) out.problems.push_back("the intruder ended by itself");
  std::uint64_t refused = 0;
  for (auto& node : nodes_)
    for (const auto& [reason, count] : node.row().rejected) refused += count;
  if (refused == 0) out.problems.push_back("no node rejected anything of the intruder's");
  out.ok = out.problems.empty();
  return out;
}

int Devnet::summarise(const Verdict& verdict, const std::vector<NodeRow>& last_rows) {
  const auto blocks = producer_->hashes().size();
  if (options_.json) {
    json::array nodes;
    for (const auto& row : last_rows) nodes.push_back(to_json(row));
    json::array problems(verdict.problems.begin(), verdict.problems.end());
    fmt::print("{}\n", json::serialize(json::object{{"type", "summary"},
                                                    {"ok", verdict.ok},
                                                    {"blocks", blocks},
                                                    {"nodes", std::move(nodes)},
                                                    {"problems", std::move(problems)},
                                                    {"dataDir", options_.keep || !temporary_ ? json::value(folder_.string())
                                                                                             : json::value(nullptr)}}));
  } else {
    fmt::print("\n{} blocks. ", blocks);
    if (verdict.ok) fmt::print("Every node holds exactly the sequencer's chain; nothing of the intruder's got in.\n");
    else fmt::print("NOT in order:\n");
    for (const auto& problem : verdict.problems) fmt::print("  {}\n", problem);
    if (options_.keep || !temporary_) fmt::print("data: {}\n", folder_.string());
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    fmt::print(stderr, "opp2p: the summary could not be written to the standard output\n");
    return 1;
  }
  return verdict.ok ? 0 : 1;
}

// All at once, then each is waited for. Who does not end in order is a problem, and is ended by force with its owner.
void Devnet::stop_members(Verdict* verdict) {
  const auto until = Clock::now() + kStopLimit;
  const auto finish = [&](Member& member) {
    const auto code = member.process().wait(std::max<libp2p::Nanos>(until - Clock::now(), libp2p::Nanos(0)));
    if (verdict == nullptr || (code && *code == 0)) return;
    verdict->ok = false;
    verdict->problems.push_back(member.name() + (code ? " ended with " + std::to_string(*code) : " does not end on SIGTERM"));
  };
  if (intruder_) intruder_->process().terminate();
  for (auto& node : nodes_) node.process().terminate();
  for (auto& node : nodes_) finish(node);
  if (intruder_) finish(*intruder_);
}

}  // namespace

libp2p::Result<int> run_devnet(const DevnetOptions& options) {
  Devnet devnet(options);
  OPP2P_TRYV(devnet.start());
  return devnet.run();
}

}  // namespace opp2p::node::devnet
