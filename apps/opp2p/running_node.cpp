#include "running_node.hpp"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "input.hpp"
#include "libp2p/base/peer_text.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opp2p/base/file_error.hpp"
#include "opp2p/base/json_text.hpp"
#include "opp2p/base/secret_file.hpp"
#include "opp2p/base/small_file.hpp"
#include "opp2p/rpc/node_file.hpp"
#include "opp2p/rpc/socket_owner.hpp"
#include "peer_texts.hpp"

namespace opp2p {
namespace json = boost::json;
using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;

namespace {

constexpr std::size_t kShortestPart = 4;
// Of a key's peer id, as text. The beginning of an id can be the text of a shorter hash that no key has.
constexpr std::size_t kShortestId = 46;

libp2p::Error bad_url(const std::string& url) {
  return fail(Errc::invalid_argument,
              "--rpc: '" + libp2p::peer_text(url, 100) + "' is no URL such as http://127.0.0.1:9545");
}

// "http://127.0.0.1:9545/", "127.0.0.1:9545", "http://[::1]:9545".
Result<RpcPlace> place_of_url(const std::string& url) {
  std::string_view rest = url;
  if (rest.starts_with("https://"))
    return fail(Errc::unsupported, "--rpc: https is not spoken; give the node's own address, as http://127.0.0.1:9545");
  if (rest.starts_with("http://")) rest.remove_prefix(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return bad_url(url);
  RpcPlace out;
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  out.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  const auto port = rest.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (host.empty() || error != std::errc() || end != port.data() + port.size() || out.port == 0) return bad_url(url);
  return out;
}

Result<std::string> token_in(const std::string& text, const std::string& path, std::string_view option) {
  std::string token;
  std::istringstream(text) >> token;
  if (is_rpc_token(token)) return token;
  return fail(Errc::malformed, std::string(option) + path +
                                   " holds no token, which has 64 hexadecimal digits in lower case. The token is in "
                                   "the file rpc.token of the node's --data-dir");
}

// Empty when nobody gave one and the folder has none: reading works without, also for who may not read the token. The
// folder's token is of the folder's node alone, so with --rpc only a file that is named counts.
Result<std::string> read_token(const RunningNodeOptions& options) {
  if (!options.rpc.empty()) return std::string();
  const auto path = std::filesystem::path(options.data_dir) / "rpc.token";
  auto text = read_small_file(path, 4096);
  if (!text && text.error() == Errc::not_found) return std::string();
  if (!text)
    return fail(text.error().code(), text.error().text() +
                                         ". A change wants the token: run this as the node's user, "
                                         "or give --rpc.token-file");
  return token_in(*text, path.string(), "");
}

// May be a pipe, as a shell makes one of <(…).
Result<std::string> read_token_file(const std::string& path) {
  errno = 0;
  std::ifstream in(path);
  std::string text(4096, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad())
    return fail(Errc::io, "--rpc.token-file: cannot read " + path + ": " + file_error(errno, path) +
                              ". The token is in the file rpc.token of the node's --data-dir");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return token_in(text, path, "--rpc.token-file: ");
}

// The token of the folder, when no other user's program listens where it would be sent. The peer id that such a program
// would have to answer is known to everybody.
Result<std::string> token_for(const RunningNodeOptions& options, const RpcPlace& place) {
  OPP2P_TRY(auto token, read_token(options));
  struct stat file{};
  const auto path = (std::filesystem::path(options.data_dir) / "rpc.token").string();
  if (token.empty() || ::stat(path.c_str(), &file) != 0) return token;
  const auto stranger = stranger_at(place.host, place.port, file.st_uid);
  if (!stranger) return token;
  return fail(Errc::denied, "another user's program (uid " + std::to_string(*stranger) + ") listens on " + place.host +
                                ":" + std::to_string(place.port) + ", so it is not sent the token in " + path);
}

// The program that listens where node.json says is the node that wrote it; asked without the token.
Result<void> check_node(const RunningNodeOptions& options, const RpcPlace& place) {
  const auto file = (std::filesystem::path(options.data_dir) / "node.json").string();
  const auto ended = [&file](const std::string& why) {
    return fail(Errc::not_found,
                file + " is of a node that has ended: " + why + ". Start it again, or give --rpc URL of another one");
  };
  const auto self = RpcClient(place.host, place.port).call("opp2p_self");
  const auto where = place.host + ":" + std::to_string(place.port);
  if (!self && self.error().code() == Errc::unreachable) return ended(self.error().text());
  if (!self && (!place.peer_id.empty() || self.error().code() != Errc::denied)) return self.error();
  if (!self)
    return fail(Errc::unsupported, "the node of --data-dir " + options.data_dir +
                                       " runs without its peer-to-peer layer (--p2p.disable), so it has no peers, bans "
                                       "and blocks");
  const auto* about = self->if_object();
  const auto* id = about == nullptr ? nullptr : about->if_contains("peerID");
  if (id == nullptr || !id->is_string() || std::string_view(id->get_string()) != place.peer_id)
    return ended("another program listens on " + where);
  return {};
}

std::string_view kind_name(json::kind kind) {
  switch (kind) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "true or false";
    case json::kind::string: return "a text";
    case json::kind::array: return "a list";
    case json::kind::object: return "an object";
    default: return "a number";
  }
}

// The server is not trusted: what is no peer id is left out.
void add_id(std::vector<std::string>& ids, std::string_view text) {
  if (libp2p::PeerId::from_text(text)) ids.emplace_back(text);
}

void add_keys(std::vector<std::string>& ids, const json::value& object) {
  if (const auto* found = object.if_object())
    for (const auto& item : *found) add_id(ids, item.key());
}

// Without the node itself. A node without one of these parts has no such peers.
std::vector<std::string> known_peers(const RpcClient& rpc, const std::string& own) {
  std::vector<std::string> ids;
  if (const auto dump = rpc.call("opp2p_peers", {false}); dump && dump->is_object())
    if (const auto* peers = dump->get_object().if_contains("peers")) add_keys(ids, *peers);
  for (const char* method : {"opp2p_bans", "opp2p_listBlockedPeers", "opp2p_staticPeers"})
    if (const auto list = rpc.call(method))
      for (const auto id : peers_in(*list)) add_id(ids, id);
  std::erase(ids, own);
  return ids;
}

}  // namespace

void add_running_node_options(CLI::App& command, RunningNodeOptions& options) {
  command.add_option("--data-dir", options.data_dir, "The --data-dir of the running node, where its RPC is found")
      ->capture_default_str();
  command.add_option("--rpc", options.rpc, "URL of the node's RPC, instead of the one in the data folder");
  command.add_option("--rpc.token-file", options.token_file,
                     "File with the node's token, instead of rpc.token there. With --rpc no token is sent without it");
  command.add_flag("--json", options.json, "Print the RPC's answer as JSON");
}

Result<RpcClient> connect_rpc(const RunningNodeOptions& options) {
  OPP2P_TRY(const auto place, options.rpc.empty() ? read_node_file(options.data_dir) : place_of_url(options.rpc));
  if (options.rpc.empty()) OPP2P_TRYV(check_node(options, place));
  if (options.token_file.empty()) return RpcClient(place.host, place.port, token_for(options, place));
  OPP2P_TRY(auto token, read_token_file(options.token_file));
  return RpcClient(place.host, place.port, std::move(token));
}

Result<json::value> of_kind(Result<json::value> answer, json::kind kind) {
  if (!answer || answer->kind() == kind) return answer;
  return fail(Errc::malformed, "the RPC answers with " + std::string(kind_name(answer->kind())) + " instead of " +
                                   std::string(kind_name(kind)) + "; is it that of opp2p node?");
}

Result<std::string> own_peer_id(const RpcClient& rpc) {
  OPP2P_TRY(const auto self, of_kind(rpc.call("opp2p_self"), json::kind::object));
  const auto* id = self.get_object().if_contains("peerID");
  if (id == nullptr || !id->is_string())
    return fail(Errc::malformed, "opp2p_self of the RPC names no peer id; is it that of opp2p node?");
  return std::string(id->get_string());
}

Result<std::string> choose_peer(const std::vector<std::string>& ids, const std::string& text) {
  const auto shown = libp2p::peer_text(text, 80);
  if (text.size() < kShortestPart)
    return fail(Errc::invalid_argument, "'" + shown + "' is too short for a part of a peer id; give at least " +
                                            std::to_string(kShortestPart) + " characters");
  std::vector<std::string> fitting;
  for (const auto& id : ids)
    if (id.starts_with(text) || id.ends_with(text)) fitting.push_back(id);
  std::sort(fitting.begin(), fitting.end());
  fitting.erase(std::unique(fitting.begin(), fitting.end()), fitting.end());
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty())
    return fail(Errc::not_found, "the node knows no peer whose id begins or ends with '" + shown +
                                     "'; opp2p peers --all lists those that it knows");
  std::string all;
  for (std::size_t i = 0; i < std::min<std::size_t>(fitting.size(), 3); ++i) all += (i == 0 ? "" : ", ") + fitting[i];
  return fail(Errc::invalid_argument, std::to_string(fitting.size()) + " peers fit '" + shown + "': " + all +
                                          (fitting.size() > 3 ? ", …" : "") + "; give more of the id");
}

Result<std::string> resolve_peer(const RpcClient& rpc, const std::string& text) {
  const auto peer = libp2p::PeerId::from_text(text);
  if (peer && text.size() >= kShortestId) return peer->to_base58();
  OPP2P_TRY(const auto own, own_peer_id(rpc));  // or nobody would be known where nobody answers
  return choose_peer(known_peers(rpc, own), text);
}

std::size_t terminal_columns(const Output& out) {
  winsize size{};
  if (::ioctl(out.descriptor(), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUnlimitedColumns;
  return std::max<std::size_t>(size.ws_col, 40);
}

int print_answer(Output& out, const RunningNodeOptions& options, const Result<json::value>& answer,
                 const std::function<std::string(const json::value&)>& text) {
  if (!answer) return report(answer.error());
  out.write((options.json ? json_text(*answer) : text(*answer)) + "\n");
  return 0;
}

}  // namespace opp2p
