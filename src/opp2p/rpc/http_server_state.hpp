// What the sessions of the HTTP server share (HttpServer::State). Part of opp2p/rpc/http_server.hpp. Owner: HttpServer.
// Thread: the server's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "opp2p/rpc/client_accounts.hpp"
#include "opp2p/rpc/http_server.hpp"

namespace opp2p {

class HttpSession;

// The way back for answers that come from other threads. The server closes it before it goes, so that a late answer
// finds nobody instead of a dead context.
struct HttpGate {
  std::mutex mutex;
  boost::asio::io_context* context = nullptr;
};

struct HttpServer::State {
  State(HttpConfig settings, HttpRoutes table, const ClientAccounts& clients);

  void accept();
  void admit(boost::asio::ip::tcp::socket socket);
  void close(HttpPlaces::Id id);
  // Takes bytes for a session; closes others for them where that is right. False when there is no room.
  bool take(MemoryCharge& charge, HttpPlaces::Id id, std::size_t bytes);
  void arm_sweep();
  void sweep();

  const HttpConfig config;
  const HttpRoutes routes;
  const ClientAccounts& accounts;
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

}  // namespace opp2p
