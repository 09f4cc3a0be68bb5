#include "apps/devnet/stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "libp2p/base/assert.hpp"
#include "opstack/payload/payload_json.hpp"

namespace opp2p::devnet {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace secp256k1 = libp2p::crypto::secp256k1;

namespace {

using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;
using libp2p::Seconds;

constexpr auto kStartLimit = Seconds(15);
constexpr auto kStopLimit = Seconds(5);
constexpr std::size_t kPeersLo = 20;  // a node's defaults
constexpr std::size_t kPeersAboveLo = 10;

MemberPlace place_of(const Member& member) {
  return {member.name(), member.address(), member.rpc_port(), member.log_path()};
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ",") + text;
  return out;
}

std::string peer_id_of(const Member& member) { return member.address().substr(member.address().rfind('/') + 1); }

}  // namespace

Stage::Stage(const DevnetOptions& options, std::function<bool()> interrupted, StageListener& listener)
    : options_(options), interrupted_(std::move(interrupted)), listener_(listener) {}

Stage::~Stage() {
  producers_.clear();
  stop_all();
  std::error_code ignored;
  if (!options_.keep && folder_.temporary) fs::remove_all(folder_.path, ignored);
}

// ---- the start ----

Result<void> Stage::make_chain() {
  signer_ = secp256k1::generate(rng_);
  opstack::testing::ChainOptions chain;
  chain.fork = options_.fork;
  chain.block_time = options_.block_time;
  chain.block_size = options_.block_size;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  chain.genesis_time = static_cast<std::uint64_t>(std::chrono::ceil<Seconds>(now).count()) + 1;
  chain_.emplace(chain, rng_);
  branches_.emplace(*chain_);
  record_.block_time = Seconds(options_.block_time);
  return write_file(folder_.path / "rollup.json", pretty(chain_->rollup_config()));
}

// Each node dials all that were started before it.
Result<void> Stage::open(const Plan& plan) {
  OPP2P_TRY(folder_, make_data_folder(options_.data_dir));
  OPP2P_TRYV(make_chain());
  static_peers_ = plan.static_peers;
  for (const auto& member : plan.members) {
    actors_.emplace_back();
    actors_.back().plan = member;
    NodeRecord node;
    node.row.name = member.name;
    node.waits = member.waits;
    record_.nodes.push_back(std::move(node));
  }
  for (auto& actor : actors_) {
    if (actor.plan.waits) continue;
    OPP2P_TRYV(launch(actor));
    OPP2P_TRYV(actor.member->wait_ready(kStartLimit, interrupted_));
    OPP2P_TRYV(on_up(actor));
  }
  if (plan.intruder) OPP2P_TRYV(start_intruder());
  return write_about();
}

Result<void> Stage::begin() {
  started_ = step_at_ = Clock::now();
  return sequence(actors_.front().plan.name, 0);
}

std::vector<std::string> Stage::addresses() const {
  std::vector<std::string> out;
  for (const auto& actor : actors_)
    if (actor.up) out.push_back(actor.member->address());
  return out;
}

std::vector<std::string> Stage::node_command(const MemberPlan& plan, const std::string& folder) const {
  std::vector<std::string> out = {own_program(),
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
                                  signer_address(),
                                  "--rpc.addr",
                                  "127.0.0.1",
                                  "--rpc.port",
                                  "0",
                                  "--log.level",
                                  options_.log_level};
  out.insert(out.end(), {"--p2p.scoring", options_.scoring});
  // Each node is connected to each, which may be more than a node keeps otherwise.
  const auto peers_lo = std::max(kPeersLo, actors_.size() + options_.join.size());
  out.insert(out.end(), {"--p2p.peers.lo", std::to_string(peers_lo)});
  out.insert(out.end(), {"--p2p.peers.hi", std::to_string(peers_lo + kPeersAboveLo)});
  if (!options_.bans) out.emplace_back("--p2p.ban.peers=false");
  if (plan.has_key) out.insert(out.end(), {"--p2p.sequencer.key", libp2p::to_hex(signer_), "--rpc.enable-admin"});
  auto peers = static_peers_ ? addresses() : std::vector<std::string>();
  peers.insert(peers.end(), options_.join.begin(), options_.join.end());
  if (!peers.empty()) out.insert(out.end(), {"--p2p.static", joined(peers)});
  out.insert(out.end(), plan.options.begin(), plan.options.end());
  return out;
}

Result<void> Stage::launch(Actor& actor) {
  const auto folder = (folder_.path / actor.plan.name).string();
  OPP2P_TRY(auto member, Member::start(actor.plan.name, folder, node_command(actor.plan, folder)));
  actor.again = actor.member != nullptr;
  actor.member = std::make_unique<Member>(std::move(member));
  actor.up = false;
  actor.started = Clock::now();
  auto& node = *record_.find(actor.plan.name);
  NodeRecord anew;
  anew.row.name = actor.plan.name;
  anew.row.state = "starting";
  anew.reorganisations = std::move(node.reorganisations);
  anew.unseen_reorganisations = node.unseen_reorganisations;
  node = std::move(anew);
  return {};
}

Result<void> Stage::on_up(Actor& actor) {
  actor.up = true;
  record_.find(actor.plan.name)->up_at = record_.head.number;
  if (static_peers_) return {};
  for (const auto& other : actors_)
    if (other.up && &other != &actor) OPP2P_TRYV(connect({actor.plan.name}, {other.plan.name}));
  return {};
}

// It gets the sequencer's key, because a wrong hash or an old timestamp is only looked at behind a good signature.
Result<void> Stage::start_intruder() {
  const auto folder = (folder_.path / "intruder").string();
  std::vector<std::string> command = {own_program(),     "devnet-intruder",
                                      "--rollup.config", (folder_.path / "rollup.json").string(),
                                      "--fork",          std::string(to_string(options_.fork)),
                                      "--signer.key",    libp2p::to_hex(signer_),
                                      "--data-dir",      folder,
                                      "--peers",         joined(addresses())};
  OPP2P_TRY(auto member, Member::start("intruder", folder, std::move(command)));
  OPP2P_TRYV(member.wait_ready(kStartLimit, interrupted_));
  record_.intruder = peer_id_of(member);
  record_.bans_intruder = options_.bans_intruder();
  intruder_.emplace(std::move(member));
  return {};
}

DevnetStart Stage::facts() const {
  DevnetStart out;
  out.chain_id = chain_->options().chain_id;
  out.fork = to_string(options_.fork);
  out.block_time = options_.block_time;
  out.signer = signer_address();
  out.folder = folder_.path.string();
  for (const auto& actor : actors_)
    if (actor.up) out.nodes.push_back(place_of(*actor.member));
  if (intruder_) out.intruder = place_of(*intruder_);
  return out;
}

// devnet.json: the same for programs and people that come later. Written again when a node has come or gone.
Result<void> Stage::write_about() const {
  const auto known = facts();
  json::array nodes;
  for (const auto& node : known.nodes) nodes.push_back(to_json(node));
  const auto reached = addresses();
  json::object about;
  about["chainId"] = known.chain_id;
  about["rollupConfig"] = (folder_.path / "rollup.json").string();
  about["signer"] = known.signer;
  about["addresses"] = json::array(reached.begin(), reached.end());
  about["nodes"] = std::move(nodes);
  // A reader sees the old file or the new one.
  const auto path = folder_.path / "devnet.json";
  OPP2P_TRYV(write_file(path.string() + ".new", pretty(about)));
  std::error_code error;
  fs::rename(path.string() + ".new", path, error);
  if (error) return fail(Errc::io, "cannot write " + path.string() + ": " + error.message());
  return {};
}

// ---- for the steps of a story ----

Stage::Actor& Stage::actor(const std::string& name) {
  const auto at = std::find_if(actors_.begin(), actors_.end(), [&](const Actor& a) { return a.plan.name == name; });
  OPP2P_ASSERT(at != actors_.end(), "a story names only members of its plan");
  return *at;
}

Result<void> Stage::sequence(const std::string& name, std::uint64_t lower, libp2p::Nanos late) {
  const auto tip = branches_->tip();
  auto builder = branches_->builder_below_tip(lower);
  if (!builder)
    return fail(Errc::not_found, fmt::format("{} cannot sequence {} blocks below block {}", name, lower, tip.number));
  if (tip.number > 0) {
    record_.take_overs.push_back({name, tip.number - lower, lower});
    builder->diverge(rng_.next_u64());
  }
  const auto publish = [client = actor(name).member->client()](const Envelope& block) -> Result<void> {
    OPP2P_TRY(const auto answer, client.change("admin_publishUnsafePayload", {opstack::payload::to_json(block)}));
    return {};
  };
  const auto published = [this](const opstack::testing::ChainBuilder& after) { branches_->add(after); };
  producers_[name] = std::make_unique<Producer>(*std::move(builder), late, publish, published);
  return {};
}

libp2p::Nanos Stage::behind(std::uint64_t lower) const {
  auto builder = branches_->builder_below_tip(lower);
  if (!builder) return libp2p::Nanos(0);
  const auto due = std::chrono::seconds(builder->next().payload.timestamp);
  return std::max(libp2p::Nanos(std::chrono::system_clock::now().time_since_epoch()) - libp2p::Nanos(due),
                  libp2p::Nanos(0));
}

void Stage::stop_sequencing(const std::string& name) {
  const auto at = producers_.find(name);
  if (at == producers_.end()) return;
  finish(name, *at->second);
  producers_.erase(at);
  record_.head = branches_->tip();
}

void Stage::finish(const std::string& name, Producer& producer) {
  producer.stop();
  if (const auto error = producer.last_error(); !error.empty())
    add_problem(fmt::format("{} could not publish {}", name, error));
}

Result<void> Stage::stop(const std::string& name) {
  stop_sequencing(name);
  auto& stopped = actor(name);
  stopped.member->process().terminate();
  const auto code = stopped.member->process().wait(kStopLimit);
  if (!code) return fail(Errc::timed_out, name + " does not end on SIGTERM");
  if (*code != 0) return fail(Errc::closed, fmt::format("{} ended with {}", name, *code));
  stopped.up = false;
  auto& node = *record_.find(name);
  node.stopped = true;
  node.row.state = "stopped";
  node.row.sequences = false;
  node.row.gap.reset();
  return write_about();
}

std::string Stage::signer_address() const { return libp2p::to_hex0x(secp256k1::address_of(signer_)); }

std::string Stage::rotate_signer() {
  signer_ = secp256k1::generate(rng_);
  return signer_address();
}

Result<void> Stage::start(const std::string& name) { return launch(actor(name)); }

Result<void> Stage::cut(const Names& some, const Names& others) {
  for (const auto& one : some)
    for (const auto& other : others)
      OPP2P_TRYV(actor(one).member->call("opp2p_disconnectPeer", {peer_id_of(*actor(other).member)}));
  return {};
}

Result<void> Stage::connect(const Names& some, const Names& others) {
  for (const auto& one : some)
    for (const auto& other : others)
      OPP2P_TRYV(actor(one).member->call("opp2p_connectPeer", {actor(other).member->address()}));
  return {};
}

// ---- for the run ----

Result<void> Stage::look_starting(Actor& actor, NodeRecord& node) {
  OPP2P_TRY(const bool ready, actor.member->look_ready());
  if (!ready && Clock::now() - actor.started >= kStartLimit)
    return fail(Errc::timed_out, node.row.name + " did not start in time; see " + actor.member->log_path());
  if (!ready) return {};
  OPP2P_TRYV(on_up(actor));
  listener_.on_up(place_of(*actor.member), actor.again);
  return write_about();
}

void Stage::look() {
  const auto now = Clock::now();
  record_.head = branches_->tip();
  record_.elapsed = now - started_;
  record_.since_step = now - step_at_;
  for (std::size_t i = 0; i < actors_.size(); ++i) {
    auto& actor = actors_[i];
    auto& node = record_.nodes[i];
    if (!node.runs() || node.row.state == "failed") continue;
    if (!actor.up) {
      const auto looked = look_starting(actor, node);
      if (looked) continue;
      add_problem(looked.error().text());
      listener_.on_event(node.row.name, {"not_up", "is not up: " + looked.error().text(), Event::Mood::bad});
      node.row.state = "failed";
      continue;
    }
    auto row = actor.member->row();
    row.sequences = sequences(node.row.name) && row.state == "running";
    for (auto& event : take_row(node, std::move(row), record_.elapsed)) {
      if (event.id == "ended") event.text += "; its log: " + actor.member->log_path();
      listener_.on_event(node.row.name, event);
    }
  }
}

void Stage::step_done() {
  step_at_ = Clock::now();
  record_.since_step = {};
}

// Who sequenced last is still marked.
void Stage::stop_production() {
  for (auto& [name, producer] : producers_) finish(name, *producer);
  record_.head = branches_->tip();
}

void Stage::read_chains() {
  record_.chain = branches_->chain();
  for (std::size_t i = 0; i < actors_.size(); ++i) {
    auto& node = record_.nodes[i];
    if (!node.runs() || !actors_[i].up) continue;
    const auto from = node.row.hole_count > 0 ? std::max<std::uint64_t>(node.row.connected_from, 1) : 1;
    auto chain = actors_[i].member->hashes(from);
    if (!chain) continue;
    node.chain_from = from;
    node.chain = *std::move(chain);
  }
}

void Stage::end(bool interrupted, bool story_ended) {
  record_.interrupted = interrupted;
  record_.story_ended = story_ended;
  if (intruder_ && !intruder_->process().running()) add_problem("the intruder ended by itself");
}

DevnetStatus Stage::status() {
  DevnetStatus out;
  out.seconds = std::chrono::duration_cast<Seconds>(Clock::now() - started_).count();
  out.head = branches_->tip().number;
  for (const auto& node : record_.nodes)
    if (!node.waits) out.rows.push_back(node.row);
  out.foreign_peers = !options_.join.empty();
  out.has_intruder = intruder_.has_value();
  out.intruder = record_.intruder;
  out.intruder_runs = !intruder_ || intruder_->process().running();
  return out;
}

// All at once, then each is waited for. Who does not end in order is ended by force with its owner.
Checks Stage::stop_all() {
  Checks out;
  const auto until = Clock::now() + kStopLimit;
  std::vector<Member*> members;
  for (std::size_t i = 0; i < actors_.size(); ++i)
    if (actors_[i].member && record_.nodes[i].runs()) members.push_back(actors_[i].member.get());
  if (intruder_) members.push_back(&*intruder_);
  for (auto* member : members) member->process().terminate();
  for (auto* member : members) {
    const auto code = member->process().wait(std::max<libp2p::Nanos>(until - Clock::now(), libp2p::Nanos(0)));
    if (code && *code == 0) continue;
    out.push_back({false, member->name() + (code ? fmt::format(" ended with {}", *code) : " does not end on SIGTERM")});
  }
  return out;
}

}  // namespace opp2p::devnet
