#include "opp2p/rpc/http_routes.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

HttpAnswer says(std::string text) {
  return [text = std::move(text)](const HttpRequest&) { return text_reply(HttpStatus::ok, text); };
}

HttpRoutes table() {
  HttpRoutes out;
  out.add("GET", "/page", says("page"));
  out.add("PUT", "/page", says("put"));
  out.add("POST", "/only-post", says("post"));
  out.add_late("GET", "/", [](HttpRequest, const HttpDone&) { return HttpCancel(); });
  out.add_probe("/alive", says("alive"));
  return out;
}

// What the route of a request answers, or the status and the methods of its refusal.
std::string found(std::string_view method, std::string_view path, bool has_body = false) {
  static const HttpRoutes kTable = table();
  const auto match = kTable.find(method, path, has_body);
  if (match.route != nullptr) {
    const auto* answer = std::get_if<HttpAnswer>(&match.route->handler);
    return answer != nullptr ? (*answer)(HttpRequest()).body.joined() : "late";
  }
  auto out = std::to_string(static_cast<unsigned>(match.refusal.status));
  for (const auto& [name, value] : match.refusal.headers) out += " " + name + ": " + value;
  return out;
}

TEST(HttpRoutes, find_what_was_registered_by_method_and_path) {
  EXPECT_EQ(found("GET", "/page"), "page");
  EXPECT_EQ(found("PUT", "/page", true), "put");
  EXPECT_EQ(found("POST", "/only-post"), "post");
  EXPECT_EQ(found("GET", "/"), "late");
}

TEST(HttpRoutes, one_slash_at_the_end_makes_no_difference) {
  EXPECT_EQ(found("GET", "/page/"), "page");
  for (const auto* path : {"/page//", "//", "//page", "/pag", "/pages", "/Page", "page", ""})
    EXPECT_EQ(found("GET", path), "404") << path;
}

TEST(HttpRoutes, a_known_path_tells_its_methods) {
  EXPECT_EQ(found("DELETE", "/page"), "405 Allow: GET, HEAD, OPTIONS, PUT");
  EXPECT_EQ(found("GET", "/only-post"), "405 Allow: OPTIONS, POST");
  EXPECT_EQ(found("get", "/page"), "405 Allow: GET, HEAD, OPTIONS, PUT");
}

TEST(HttpRoutes, head_is_answered_by_the_route_of_get_unless_it_brings_a_body) {
  EXPECT_EQ(found("HEAD", "/page"), "page");
  EXPECT_EQ(found("HEAD", "/"), "late");
  EXPECT_EQ(found("HEAD", "/page", true), "405 Allow: GET, HEAD, OPTIONS, PUT");
  EXPECT_EQ(found("HEAD", "/only-post"), "405 Allow: OPTIONS, POST");
}

TEST(HttpRoutes, a_probe_is_answered_by_every_method_but_options) {
  for (const auto* method : {"GET", "HEAD", "POST", "BREW"})
    EXPECT_EQ(found(method, "/alive", true), "alive") << method;
  for (const auto* path : {"/alive", "/page", "/"}) EXPECT_EQ(found("OPTIONS", path).substr(0, 3), "405") << path;
}

TEST(HttpRoutes, tell_the_paths_of_probes) {
  HttpRoutes routes;
  routes.add("GET", "/page", says(""));
  EXPECT_EQ(routes.probe_paths(), "");
  routes.add_probe("/b", says(""));
  EXPECT_EQ(routes.probe_paths(), "/b");
  routes.add_probe("/a", says(""));
  EXPECT_EQ(routes.probe_paths(), "/a and /b");
  routes.add_probe("/c", says(""));
  EXPECT_EQ(routes.probe_paths(), "/a, /b and /c");
}

#ifndef OPP2P_NO_ASSERTIONS
TEST(HttpRoutesDeathTest, a_mistake_in_the_registration_ends_the_program) {
  EXPECT_DEATH(table().add("GET", "/page", says("")), "a method and a path have one route");
  EXPECT_DEATH(table().add("GET", "/alive", says("")), "a method and a path have one route");
  EXPECT_DEATH(table().add_probe("/page", says("")), "a method and a path have one route");
  EXPECT_DEATH(table().add("HEAD", "/x", says("")), "HEAD follows GET");
  EXPECT_DEATH(table().add("GET", "/x/", says("")), "a path begins with a slash");
  EXPECT_DEATH(table().add("GET", "x", says("")), "a path begins with a slash");
}
#endif

}  // namespace
}  // namespace opp2p
