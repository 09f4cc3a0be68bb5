#include "libp2p/runtime/asio/asio_tcp.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>

#include "libp2p/base/life_token.hpp"

namespace libp2p::runtime {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Endpoint to_endpoint(const tcp::endpoint& from) { return {from.address().to_string(), from.port()}; }

Errc classify(const error_code& ec) {
  if (ec == asio::error::connection_reset || ec == asio::error::broken_pipe || ec == asio::error::not_connected)
    return Errc::reset;
  if (ec == asio::error::timed_out) return Errc::timed_out;
  if (ec == asio::error::connection_refused || ec == asio::error::host_unreachable ||
      ec == asio::error::network_unreachable) {
    return Errc::unreachable;
  }
  if (ec == asio::error::access_denied) return Errc::denied;
  return Errc::io;
}

std::string reason(const error_code& ec) {
  std::string text = ec.message();
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

class AsioSocket final : public Socket {
 public:
  AsioSocket(tcp::socket socket, const tcp::endpoint& local, const tcp::endpoint& remote)
      : state_(std::make_shared<State>(std::move(socket))) {
    state_->local = to_endpoint(local);
    state_->remote = to_endpoint(remote);
  }

  ~AsioSocket() override {
    state_->on_readable = nullptr;
    state_->on_writable = nullptr;
    error_code ignored;
    state_->socket.close(ignored);
  }

  Result<std::size_t> read(MutableBytes into) override {
    for (;;) {
      const ssize_t n = ::recv(state_->socket.native_handle(), into.data(), into.size(), 0);
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno == EINTR) continue;
      return last_error("read from ");
    }
  }

  Result<std::size_t> write(ByteView from) override {
    for (;;) {
      const ssize_t n = ::send(state_->socket.native_handle(), from.data(), from.size(), MSG_NOSIGNAL);
      if (n > 0) return static_cast<std::size_t>(n);
      if (n == 0) return fail(Errc::would_block, "");
      if (errno == EINTR) continue;
      return last_error("write to ");
    }
  }

  void shutdown_write() override {
    error_code ignored;
    state_->socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  void when_readable(std::function<void()> wake) override {
    const bool waiting = state_->on_readable != nullptr;
    state_->on_readable = std::move(wake);
    if (waiting) return;
    state_->socket.async_wait(tcp::socket::wait_read, [state = state_](const error_code&) {
      if (const auto call = std::exchange(state->on_readable, nullptr)) call();
    });
  }

  void when_writable(std::function<void()> wake) override {
    const bool waiting = state_->on_writable != nullptr;
    state_->on_writable = std::move(wake);
    if (waiting) return;
    state_->socket.async_wait(tcp::socket::wait_write, [state = state_](const error_code&) {
      if (const auto call = std::exchange(state->on_writable, nullptr)) call();
    });
  }

  Endpoint local() const override { return state_->local; }
  Endpoint remote() const override { return state_->remote; }

 private:
  struct State {
    explicit State(tcp::socket s) : socket(std::move(s)) {}
    tcp::socket socket;
    std::function<void()> on_readable;
    std::function<void()> on_writable;
    Endpoint local;
    Endpoint remote;
  };

  Error last_error(std::string_view doing) const {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return fail(Errc::would_block, "");
    const error_code ec(errno, boost::system::system_category());
    return fail(classify(ec), std::string(doing) + state_->remote.to_string() + " failed: " + reason(ec));
  }

  std::shared_ptr<State> state_;
};

// Null, with the error, for a connection that the far end has reset already: the kernel does not know its address any
// more, and Asio would give 0.0.0.0:0, one block of addresses for all of them.
std::unique_ptr<Socket> connected_socket(tcp::socket socket, error_code& ec) {
  const tcp::endpoint local = socket.local_endpoint(ec);
  if (ec) return nullptr;
  const tcp::endpoint remote = socket.remote_endpoint(ec);
  if (ec) return nullptr;
  return std::make_unique<AsioSocket>(std::move(socket), local, remote);
}

// TCP's own probes, at the intervals of Go's sockets: a multiplexer without a keep-alive (Mplex) sees a peer go that
// vanished without a word.
void keep_alive(tcp::socket& socket) {
  using Idle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
  using Interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
  using Probes = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
  error_code ignored;
  socket.set_option(tcp::socket::keep_alive(true), ignored);
  socket.set_option(Idle(15), ignored);
  socket.set_option(Interval(15), ignored);
  socket.set_option(Probes(9), ignored);
}

// What every TCP socket of ours gets. Errors are of no consequence: a peer may have gone already.
void prepare(tcp::socket& socket) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  keep_alive(socket);
}

class AsioListener final : public Listener {
 public:
  AsioListener(asio::io_context& context, tcp::acceptor acceptor, const tcp::endpoint& local,
               std::function<void(std::unique_ptr<Socket>)> on_accept)
      : acceptor_(std::move(acceptor)), pause_(context), on_accept_(std::move(on_accept)), local_(to_endpoint(local)) {
    wait();
  }

  Endpoint local() const override { return local_; }

 private:
  void wait() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [this, life = life_.watch()](const error_code& ec) {
      if (life && ec != asio::error::operation_aborted) accept_some();
    });
  }

  // A bounded number in a row, so that a flood of connections does not hold the thread.
  void accept_some() {
    const auto life = life_.watch();
    const auto on_accept = on_accept_;  // a copy, because it may destroy the listener
    for (int i = 0; i < 16; ++i) {
      error_code ec;
      tcp::socket socket = acceptor_.accept(ec);
      if (!ec) {
        prepare(socket);
        if (auto accepted = connected_socket(std::move(socket), ec)) on_accept(std::move(accepted));
        if (!life) return;
        continue;
      }
      if (ec == asio::error::would_block || ec == asio::error::try_again) break;
      if (ec == asio::error::connection_aborted || ec == asio::error::connection_reset) continue;
      // Out of descriptors or memory: the connection stays in the backlog and the listener stays readable. A pause
      // instead of a loop that spins until somebody closes something.
      pause_.expires_after(std::chrono::milliseconds(100));
      pause_.async_wait([this, life](const error_code& cancelled) {
        if (life && !cancelled) wait();
      });
      return;
    }
    wait();
  }

  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  const std::function<void(std::unique_ptr<Socket>)> on_accept_;
  Endpoint local_;
  LifeToken life_;
};

class AsioConnect final : public Operation {
 public:
  struct State {
    State(asio::io_context& context, std::function<void(Result<std::unique_ptr<Socket>>)> callback)
        : socket(context), done(std::move(callback)) {}
    tcp::socket socket;
    std::function<void(Result<std::unique_ptr<Socket>>)> done;
  };

  explicit AsioConnect(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~AsioConnect() override {
    state_->done = nullptr;
    error_code ignored;
    state_->socket.close(ignored);
  }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace

Result<std::unique_ptr<Listener>> asio_listen(asio::io_context& context, const Endpoint& at,
                                              std::function<void(std::unique_ptr<Socket>)> on_accept) {
  const std::string what = "listen on " + at.to_string() + " failed: ";
  error_code ec;
  const auto ip = asio::ip::make_address(at.ip, ec);
  if (ec) return fail(Errc::invalid_argument, what + "'" + at.ip + "' is not an IP address");
  const tcp::endpoint endpoint(ip, at.port);
  tcp::acceptor acceptor(context);
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  // An IPv6 listener takes IPv6 only, so that the IPv4 one of the same port can stand beside it.
  if (!ec && ip.is_v6()) acceptor.set_option(asio::ip::v6_only(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec) acceptor.non_blocking(true, ec);
  tcp::endpoint local;
  if (!ec) local = acceptor.local_endpoint(ec);
  if (ec == asio::error::address_in_use) {
    return fail(Errc::io, what + "the address is in use; choose another port or stop the program that has it");
  }
  if (ec == asio::error::access_denied) {
    return fail(Errc::denied, what + "permission denied; ports below 1024 need a privilege, choose a higher one");
  }
  if (ec == error_code(EADDRNOTAVAIL, boost::system::system_category())) {
    return fail(Errc::io, what + "this machine does not have that address");
  }
  if (ec == asio::error::no_descriptors) {
    return fail(Errc::io, what + "too many open files; raise the limit on open files, see ulimit -n");
  }
  if (ec) return fail(Errc::io, what + reason(ec));
  return std::unique_ptr<Listener>(
      std::make_unique<AsioListener>(context, std::move(acceptor), local, std::move(on_accept)));
}

std::unique_ptr<Operation> asio_connect(asio::io_context& context, const Endpoint& to,
                                        std::function<void(Result<std::unique_ptr<Socket>>)> done) {
  auto state = std::make_shared<AsioConnect::State>(context, std::move(done));
  const auto finish = [](const std::shared_ptr<AsioConnect::State>& s, const Endpoint& target, error_code ec) {
    const auto call = std::exchange(s->done, nullptr);
    if (!call) return;
    std::unique_ptr<Socket> connected;
    if (!ec) connected = connected_socket(std::move(s->socket), ec);
    if (connected) return call(std::move(connected));
    call(fail(classify(ec), "connect to " + target.to_string() + " failed: " + reason(ec)));
  };
  error_code ec;
  const auto ip = asio::ip::make_address(to.ip, ec);
  const tcp::endpoint endpoint(ip, to.port);
  if (!ec) state->socket.open(endpoint.protocol(), ec);
  if (ec) {
    asio::post(context, [state, finish, to, ec] { finish(state, to, ec); });
    return std::make_unique<AsioConnect>(state);
  }
  prepare(state->socket);
  state->socket.async_connect(endpoint, [state, finish, to](const error_code& result) { finish(state, to, result); });
  return std::make_unique<AsioConnect>(state);
}

}  // namespace libp2p::runtime
