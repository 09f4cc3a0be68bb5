#include "opp2p/rpc/rpc_route.hpp"

#include "opp2p/rpc/http_head.hpp"
#include "opp2p/rpc/rpc_exchange.hpp"

namespace opp2p {
namespace {

HttpReply reply_of(RpcAnswer answer) {
  if (answer.exhausted) return text_reply(HttpStatus::service_unavailable, "too many answers wait for their clients\n");
  HttpReply out;
  out.type = "application/json";
  out.body = std::move(answer.text);
  return out;
}

HttpCancel begin_call(const JsonRpc& rpc, HttpRequest request, const HttpDone& done) {
  if (!is_json_media_type(request.content_type)) {
    done(text_reply(HttpStatus::unsupported_media_type, "invalid content type, only application/json is supported\n"));
    return nullptr;
  }
  RpcRequest asked;
  asked.token = std::move(request.token);
  asked.body = std::move(request.body);
  asked.charge = std::move(request.charge);
  const auto exchange = rpc.handle(std::move(asked), [done](RpcAnswer answer) { done(reply_of(std::move(answer))); });
  return [exchange] { exchange->cancel(); };
}

}  // namespace

void add_rpc_route(HttpRoutes& routes, const JsonRpc& rpc) {
  routes.add_late("POST", "/", [&rpc](HttpRequest request, const HttpDone& done) {
    return begin_call(rpc, std::move(request), done);
  });
  routes.add_late("GET", "/", [&rpc](HttpRequest request, const HttpDone& done) {
    if (!request.body.empty() || request.has_query) return begin_call(rpc, std::move(request), done);
    done(HttpReply());
    return HttpCancel();
  });
}

}  // namespace opp2p
