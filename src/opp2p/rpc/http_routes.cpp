#include "opp2p/rpc/http_routes.hpp"

#include <set>

#include "libp2p/base/assert.hpp"

namespace opp2p {
namespace {

constexpr std::string_view kAnyMethod = "*";

std::string_view without_slash_at_end(std::string_view path) {
  if (path.size() > 2 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

void HttpRoutes::add(std::string method, std::string path, HttpAnswer answer) {
  insert(std::move(method), std::move(path), {std::move(answer), false});
}

void HttpRoutes::add_late(std::string method, std::string path, HttpBegin begin) {
  insert(std::move(method), std::move(path), {std::move(begin), false});
}

void HttpRoutes::add_probe(std::string path, HttpAnswer answer) {
  insert(std::string(kAnyMethod), std::move(path), {std::move(answer), true});
}

void HttpRoutes::add_everywhere(std::string method, HttpAnswer answer) {
  OPP2P_ASSERT(method != "HEAD" && method != "OPTIONS", "HEAD follows GET, and OPTIONS is the server's", method);
  const bool added = everywhere_.emplace(method, HttpRoute{std::move(answer), false}).second;
  OPP2P_ASSERT(added, "a method has one route for every path", method);
}

void HttpRoutes::insert(std::string method, std::string path, HttpRoute route) {
  OPP2P_ASSERT(method != "HEAD" && method != "OPTIONS", "HEAD follows GET, and OPTIONS is the server's", method);
  OPP2P_ASSERT(path.starts_with('/') && without_slash_at_end(path).size() == path.size(),
               "a path begins with a slash and does not end with one", path);
  auto& methods = paths_[path];
  const bool alone = methods.empty() || (method != kAnyMethod && !methods.contains(kAnyMethod));
  OPP2P_ASSERT(alone && !methods.contains(method), "a method and a path have one route", method, path);
  methods.emplace(std::move(method), std::move(route));
}

std::string HttpRoutes::allowed(const Methods& methods) {
  std::set<std::string_view> names{"OPTIONS"};
  for (const auto& [name, route] : methods) names.insert(name);
  if (names.contains("GET")) names.insert("HEAD");
  std::string out;
  for (const auto& name : names) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

HttpRoutes::Match HttpRoutes::find(std::string_view method, std::string_view path, bool has_body) const {
  Match out;
  const auto own = paths_.find(without_slash_at_end(path));
  const Methods& methods = own != paths_.end() ? own->second : everywhere_;
  if (methods.empty()) {
    out.refusal = text_reply(HttpStatus::not_found, "404 page not found\n");
    return out;
  }
  auto found = methods.find(kAnyMethod);
  if (found == methods.end()) found = methods.find(method == "HEAD" && !has_body ? "GET" : method);
  if (found != methods.end() && method != "OPTIONS") {
    out.route = &found->second;
    return out;
  }
  out.refusal = text_reply(HttpStatus::method_not_allowed, "method not allowed\n");
  out.refusal.headers.emplace_back("Allow", allowed(methods));
  return out;
}

std::string HttpRoutes::probe_paths() const {
  std::string out;
  std::size_t left = 0;
  for (const auto& [path, methods] : paths_) left += methods.begin()->second.probe;
  for (const auto& [path, methods] : paths_) {
    if (!methods.begin()->second.probe) continue;
    if (!out.empty()) out += left == 1 ? " and " : ", ";
    out += path;
    --left;
  }
  return out;
}

}  // namespace opp2p
