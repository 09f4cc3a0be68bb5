#include "opp2p/rpc/http_server.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "libp2p/multiformats/address_blocks.hpp"
#include "opp2p/base/file_error.hpp"
#include "opp2p/rpc/http_session.hpp"
#include "opp2p/rpc/rpc_worker.hpp"

namespace opp2p {
namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;

namespace {

constexpr auto kPause = std::chrono::milliseconds(100);  // when descriptors or memory are out
constexpr auto kSweep = std::chrono::milliseconds(250);

// Nothing for a connection that its client has reset already: it has no address, and without one it would count in no
// share.
std::optional<libp2p::AddressBlocks> blocks_of(const tcp::socket& socket) {
  beast::error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return std::nullopt;
  auto ip = remote.address();
  const auto text = (ip.is_v4() ? "/ip4/" : "/ip6/") + ip.to_string().substr(0, ip.to_string().find('%'));
  const auto address = libp2p::Multiaddr::from_text(text);
  return address ? libp2p::multiformats::address_blocks(*address) : libp2p::AddressBlocks::unknown();
}

}  // namespace

HttpServer::State::State(HttpConfig settings, HttpRoutes table, const ClientAccounts& clients)
    : config(std::move(settings)),
      routes(std::move(table)),
      accounts(clients),
      places(config.limits),
      acceptor(context),
      pause(context),
      sweeping(context) {
  gate->context = &context;
}

void HttpServer::State::accept() {
  acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error == asio::error::no_descriptors || error == asio::error::no_memory ||
        error == asio::error::no_buffer_space) {
      // The connection stays in the backlog: without a pause this would spin until somebody closes something.
      pause.expires_after(kPause);
      pause.async_wait([this](beast::error_code cancelled) {
        if (!cancelled) accept();
      });
      return;
    }
    if (!error) admit(std::move(socket));
    accept();
  });
}

void HttpServer::State::admit(tcp::socket socket) {
  const auto blocks = blocks_of(socket);
  if (!blocks) return;
  const auto id = next_id++;
  const auto admission = places.admit(id, *blocks, RpcWorker::now());
  if (admission.evicted) close(*admission.evicted);
  if (admission.seat == HttpPlaces::Seat::none) return;
  const auto session = std::make_shared<HttpSession>(*this, id, admission.seat, std::move(socket));
  sessions.emplace(id, session);
  session->start();
  arm_sweep();
}

void HttpServer::State::close(HttpPlaces::Id id) {
  places.remove(id);
  const auto found = sessions.find(id);
  if (found == sessions.end()) return;
  const auto session = std::move(found->second);
  sessions.erase(found);
  session->end();
}

bool HttpServer::State::take(MemoryCharge& charge, HttpPlaces::Id id, std::size_t bytes) {
  while (!charge.set(bytes)) {
    const auto largest = places.largest_holder(RpcWorker::now());
    if (!largest) return false;
    close(*largest);
    if (*largest == id) return false;
  }
  places.hold(id, bytes);
  return true;
}

void HttpServer::State::arm_sweep() {
  if (std::exchange(sweep_armed, true)) return;
  sweeping.expires_after(kSweep);
  sweeping.async_wait([this](beast::error_code cancelled) {
    if (cancelled) return;
    sweep_armed = false;
    sweep();
    if (!sessions.empty()) arm_sweep();
  });
}

// Ends whose time is over, and, while the memory is nearly full, who holds it without taking it.
void HttpServer::State::sweep() {
  const auto now = RpcWorker::now();
  for (const auto id : places.expired(now)) close(id);
  const auto& memory = *accounts.strangers();
  while (memory.used() > memory.limit() / 4 * 3) {
    const auto largest = places.largest_holder(now);
    if (!largest) return;
    close(*largest);
  }
}

libp2p::Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpConfig config, HttpRoutes routes,
                                                              const ClientAccounts& accounts) {
  const std::string address = config.address;
  const auto port = config.port;
  const std::string name = config.name;
  const std::string option = "--" + config.option;
  auto state = std::make_unique<State>(std::move(config), std::move(routes), accounts);
  beast::error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error)
    return libp2p::fail(libp2p::Errc::invalid_argument, option + ".addr: '" + address + "' is not an IP address");
  const tcp::endpoint at(ip, port);
  state->acceptor.open(at.protocol(), error);
  if (!error) state->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) state->acceptor.bind(at, error);
  if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    std::string why = error.message() + "; choose another " + option + ".addr or " + option + ".port";
    if (error == asio::error::address_in_use)
      why = error.message() + "; choose another " + option + ".port or stop the program that has it";
    if (error == asio::error::no_descriptors) why = file_error(error.value(), "");
    return libp2p::fail(libp2p::Errc::io, "the " + name + " server cannot listen on " + address + ":" +
                                              std::to_string(port) + ": " + why);
  }
  state->accept();
  state->thread = std::thread([context = &state->context] { context->run(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  {
    const std::lock_guard lock(state_->gate->mutex);
    state_->gate->context = nullptr;
  }
  state_->context.stop();
  state_->thread.join();
  for (const auto& [id, session] : state_->sessions) session->end();
}

std::uint16_t HttpServer::port() const { return state_->acceptor.local_endpoint().port(); }

}  // namespace opp2p
