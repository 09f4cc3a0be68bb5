// One client connection of the HTTP server: reads a request, answers it by its route, writes the answer, reads the
// next. Part of opp2p/rpc/http_server.hpp.
//
// Owner: HttpServer::State::sessions; callbacks of the socket keep it until they have run. Thread: the server's.
// Bounds: HttpReader's for what it reads; one request at a time; places and deadlines are HttpPlaces'. Re-entrancy:
// whatever closes a session (State::close, State::take) may close the one that calls it, which then has ended_.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "opp2p/rpc/http_reader.hpp"
#include "opp2p/rpc/http_server_state.hpp"

namespace opp2p {

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(HttpServer::State& server, HttpPlaces::Id id, HttpPlaces::Seat seat, boost::asio::ip::tcp::socket socket);

  void start();
  // Closes the socket and cancels what is computed for it.
  void end();

 private:
  using Request = HttpReader::Request;

  void next_request();
  void read();
  void parse();
  void on_head();
  void invite_body();
  bool hold_request();
  void on_request();
  void refuse(HttpStatus status, std::string why);
  void route(Request request);
  std::optional<std::string> refusal(const Request& request, std::string_view authority);
  std::string no_place() const;
  void answer_preflight();
  void begin(const HttpBegin& begin, HttpRequest request);
  void watch_client();
  void on_answer(std::uint64_t number, HttpReply reply);
  void write(HttpReply reply);
  void on_written();
  void linger();
  void enter(HttpPhase phase);

  HttpServer::State& server_;
  const HttpPlaces::Id id_;
  const HttpPlaces::Seat seat_;
  boost::asio::ip::tcp::socket socket_;
  HttpReader reader_;
  HttpPhase phase_ = HttpPhase::idle;
  bool ended_ = false;
  bool trusted_ = false;  // this request brings the node's token
  MemoryCharge request_charge_;

  // Of the request that is being answered.
  unsigned version_ = 11;
  bool head_only_ = false;  // HEAD: the answer's body stays here
  bool keep_alive_ = false;
  std::vector<std::pair<std::string, std::string>> cors_headers_;
  std::uint64_t number_ = 0;  // of the request on this connection
  HttpCancel cancel_;         // of the handler that is at work
  std::string reply_head_;
  RpcText reply_body_;
};

}  // namespace opp2p
