// One client connection of the HTTP server and the state that all of them share. Part of opp2p/rpc/http_server.hpp;
// thread: the server's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "opp2p/rpc/http_head.hpp"
#include "opp2p/rpc/http_server.hpp"
#include "opp2p/rpc/json_rpc.hpp"

namespace opp2p {

class HttpSession;
class RpcExchange;

// The way back for answers that come from other threads. The server closes it before it goes, so that a late answer
// finds nobody instead of a dead context.
struct HttpGate {
  std::mutex mutex;
  boost::asio::io_context* context = nullptr;
};

struct HttpServer::State {
  State(HttpConfig settings, const JsonRpc& r);

  void accept();
  void admit(boost::asio::ip::tcp::socket socket);
  void close(HttpPlaces::Id id);
  // Takes bytes for a session; makes others go for them where that is right. False when there is no room.
  bool take(MemoryCharge& charge, HttpPlaces::Id id, std::size_t bytes);
  void arm_sweep();
  void sweep();

  HttpConfig config;
  const JsonRpc& rpc;
  HttpPlaces places;
  HttpPlaces::Id next_id = 1;
  std::shared_ptr<HttpGate> gate = std::make_shared<HttpGate>();
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor acceptor;
  boost::asio::steady_timer pause;
  boost::asio::steady_timer sweeping;
  bool sweep_armed = false;
  std::map<HttpPlaces::Id, std::shared_ptr<HttpSession>> sessions;
  std::thread thread;
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  HttpSession(HttpServer::State& server, HttpPlaces::Id id, HttpPlaces::Seat seat, boost::asio::ip::tcp::socket socket);

  void start();
  // Closes the socket and cancels what is computed for it.
  void end();

 private:
  // What goes back: the answer to a request, but for its body.
  struct Reply {
    boost::beast::http::status status = boost::beast::http::status::ok;
    std::string type = "text/plain";
    std::string body;
  };

  void next_request();
  void read();
  void on_read(std::size_t bytes);
  void parse();
  bool read_head();
  void skip_line_ends();
  void on_header();
  void trust_token();
  void invite_body();
  bool hold_request();
  void on_request();
  void refuse(boost::beast::http::status status, std::string why);
  void route(Request request);
  bool answer_health(std::string_view path);
  std::optional<std::string> refusal(const Request& request, std::string_view authority);
  void answer_preflight();
  void call(Request request);
  void watch_client();
  void on_answer(RpcAnswer answer);
  void send(Reply reply);
  void write(boost::beast::http::status status, std::string_view type, RpcText body);
  void on_written();
  void linger();
  void enter(HttpPhase phase);

  HttpServer::State& server_;
  const HttpPlaces::Id id_;
  const HttpPlaces::Seat seat_;
  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  HttpHead request_head_;
  std::size_t skipped_ = 0;  // line ends before this request
  std::optional<Parser> parser_;
  bool header_seen_ = false;
  bool trusted_ = false;  // this request brings the node's token
  MemoryCharge request_charge_;

  // Of the request that is being answered.
  unsigned version_ = 11;
  bool head_only_ = false;  // HEAD: the answer's body stays here
  bool keep_alive_ = false;
  std::vector<std::pair<std::string, std::string>> extra_headers_;
  std::shared_ptr<RpcExchange> exchange_;
  std::string head_;
  RpcText body_;
  bool ended_ = false;
};

}  // namespace opp2p
