#include "apps/devnet/member.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace opp2p::devnet {
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr const char* kLogFile = "log.txt";
constexpr std::uint64_t kHashesPerCall = 1000;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  return content.str();
}

}  // namespace

libp2p::Result<Member> Member::start(std::string name, std::string folder, std::vector<std::string> command) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return libp2p::fail(libp2p::Errc::io, "cannot create the folder " + folder + ": " + error.message());
  fs::remove(fs::path(folder) / "node.json", error);
  OPP2P_TRY(auto process, Process::start(command, folder + "/" + kLogFile));
  return Member(std::move(name), std::move(folder), std::move(process));
}

Member::Member(std::string name, std::string folder, Process process)
    : name_(std::move(name)), folder_(std::move(folder)), process_(std::move(process)) {
  last_.name = name_;
  last_.state = "starting";
}

std::string Member::log_path() const { return folder_ + "/" + kLogFile; }

std::string Member::last_log_line() const {
  std::istringstream log(read_file(log_path()));
  std::string out;
  for (std::string line; std::getline(log, line);)
    if (!line.empty()) out = line;
  return out;
}

libp2p::Result<bool> Member::look_ready() {
  boost::system::error_code error;
  const auto value = json::parse(read_file(folder_ + "/node.json"), error);
  if (!error && value.is_object()) {
    const auto& addresses = value.as_object().at("addresses").as_array();
    if (!addresses.empty()) address_ = std::string(addresses.front().as_string());
    rpc_port_ = value.as_object().at("rpcPort").to_number<std::uint16_t>();
    rpc_token_ = read_file(folder_ + "/rpc.token");
    last_.state = "running";
    return true;
  }
  if (!process_.running())
    return libp2p::fail(libp2p::Errc::closed, name_ + " ended during its start; its last log line: " + last_log_line());
  return false;
}

libp2p::Result<void> Member::wait_ready(libp2p::Nanos limit, const std::function<bool()>& stop) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < until) {
    OPP2P_TRY(const bool ready, look_ready());
    if (ready) return {};
    if (stop()) return libp2p::fail(libp2p::Errc::cancelled, "stopped before " + name_ + " was up");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return libp2p::fail(libp2p::Errc::timed_out, name_ + " did not start in time; its last log line: " + last_log_line());
}

libp2p::Result<json::value> Member::call(std::string_view method, json::array params) const {
  return client().change(method, std::move(params));
}

NodeRow Member::row() {
  if (const auto code = process_.wait(libp2p::Nanos(0))) {
    last_.state = "ended " + std::to_string(*code);
    return last_;
  }
  if (rpc_port_ == 0) return last_;
  const auto status = call("opp2p_status");
  if (!status || !status->is_object()) {
    last_.state = "silent";
    return last_;
  }
  auto banned = std::move(last_.banned);
  last_ = row_of(name_, status->get_object());
  const auto bans = call("opp2p_bans");
  last_.banned = bans ? banned_peers(*bans) : std::move(banned);
  return last_;
}

libp2p::Result<std::vector<std::string>> Member::hashes(std::uint64_t from) const {
  std::vector<std::string> out;
  for (;;) {
    OPP2P_TRY(const auto part, call("opp2p_chain", {from + out.size(), kHashesPerCall}));
    if (!part.is_array()) return libp2p::fail(libp2p::Errc::malformed, name_ + " answers opp2p_chain without a list");
    for (const auto& hash : part.get_array()) out.emplace_back(hash.as_string());
    if (part.get_array().size() < kHashesPerCall) return out;
  }
}

}  // namespace opp2p::devnet
