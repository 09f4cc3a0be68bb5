#include "libp2p/runtime/asio/dns_channel.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>

namespace libp2p::runtime {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

// What one channel may do: c-ares itself has no such bounds, and works on the network thread.
struct Allowance {
  static constexpr int kSockets = 128;   // of servers, and one for each address that is sorted
  static constexpr int kDatagrams = 32;  // in one turn
  int sockets = kSockets;
  int datagrams = kDatagrams;
};

// c-ares finds the source address for each of an answer's thousands of addresses by a socket. This error means that
// there is none for an address: it goes behind the others.
ares_socket_t open_socket(int family, int type, int protocol, void* allowance) {
  if (--static_cast<Allowance*>(allowance)->sockets < 0) {
    errno = EAFNOSUPPORT;
    return ARES_SOCKET_BAD;
  }
  return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}
int close_socket(ares_socket_t fd, void*) { return ::close(fd); }
int connect_socket(ares_socket_t fd, const sockaddr* to, ares_socklen_t size, void*) { return ::connect(fd, to, size); }
// c-ares reads datagrams until there are no more, which a flood never lets happen; the rest has its turn later.
ares_ssize_t receive(ares_socket_t fd, void* into, size_t size, int flags, sockaddr* from, ares_socklen_t* from_size,
                     void* allowance) {
  if (--static_cast<Allowance*>(allowance)->datagrams < 0) {
    errno = EAGAIN;
    return -1;
  }
  return ::recvfrom(fd, into, size, flags, from, from_size);
}
// c-ares writes to TCP sockets with writev(), which raises SIGPIPE; a library must not do that to its user.
ares_ssize_t send_all(ares_socket_t fd, const iovec* parts, int count, void*) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}
constexpr ares_socket_functions kSocketFunctions = {open_socket, close_socket, connect_socket, receive, send_all};

int milliseconds(Nanos duration) {
  return static_cast<int>(std::max<std::int64_t>(1, std::chrono::duration_cast<Millis>(duration).count()));
}

// One socket of c-ares, which opens and closes it; Asio only says when it is ready.
struct Watched {
  explicit Watched(asio::io_context& context) : descriptor(context) {}
  asio::posix::stream_descriptor descriptor;
  bool want[2] = {};     // to read, to write
  bool waiting[2] = {};  // the same: Asio was asked
  bool closed = false;
};

// c-ares reads its files on the network thread, to their end: a FIFO would hold it for ever.
Result<void> check_configuration(const std::string& path) {
  constexpr off_t kLargest = 64 * 1024;
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return {};  // without one c-ares asks 127.0.0.1
  if (!S_ISREG(info.st_mode))
    return fail(Errc::io, path + " is no regular file; write one with lines such as 'nameserver 9.9.9.9'");
  if (info.st_size > kLargest) return fail(Errc::io, path + " is larger than 64 KiB; shorten it");
  return {};
}

}  // namespace

struct DnsChannel::Core {
  Core(asio::io_context& c, Nanos longest) : context(c), timer(c), end(Clock::now() + longest) {}
  // Here and not in ~DnsChannel, so that a channel which could not be set up to its end goes the same way.
  ~Core() { close(); }

  void close() {
    if (channel != nullptr) ares_destroy(std::exchange(channel, nullptr));
    timer.cancel();
  }

  static void on_socket_state(void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<Core*>(self)->watch_socket(fd, readable != 0, writable != 0);
  }

  void watch_socket(int fd, bool readable, bool writable) {
    const auto found = sockets.find(fd);
    if (!readable && !writable) {
      if (found == sockets.end()) return;
      found->second->closed = true;
      found->second->descriptor.release();  // c-ares closes it
      sockets.erase(found);
      return;
    }
    std::shared_ptr<Watched> socket;
    if (found != sockets.end()) {
      socket = found->second;
    } else {
      socket = std::make_shared<Watched>(context);
      error_code failed;
      socket->descriptor.assign(fd, failed);
      if (failed) return;  // nothing is heard from this server, as if it was silent
      sockets.emplace(fd, socket);
    }
    socket->want[0] = readable;
    socket->want[1] = writable;
    wait(socket, fd, 0);
    wait(socket, fd, 1);
  }

  void wait(const std::shared_ptr<Watched>& socket, int fd, int direction) {
    if (socket->closed || !socket->want[direction] || socket->waiting[direction]) return;
    socket->waiting[direction] = true;
    const auto what =
        direction == 0 ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
    socket->descriptor.async_wait(what, [weak = self, socket, fd, direction](const error_code& failed) {
      socket->waiting[direction] = false;
      const auto core = weak.lock();
      if (failed || !core || core->channel == nullptr || socket->closed) return;
      core->allowance.datagrams = Allowance::kDatagrams;
      ares_process_fd(core->channel, direction == 0 ? fd : ARES_SOCKET_BAD, direction == 1 ? fd : ARES_SOCKET_BAD);
      core->wait(socket, fd, direction);
      core->arm();
    });
  }

  // c-ares has one deadline at a time; it changes with everything that c-ares does.
  void arm() {
    timeval next{};
    if (ares_timeout(channel, nullptr, &next) == nullptr) {
      timer.cancel();  // no query is under way
      return;
    }
    const auto after = std::chrono::seconds(next.tv_sec) + std::chrono::microseconds(next.tv_usec);
    timer.expires_at(std::min(end, Clock::now() + after));
    timer.async_wait([weak = self](const error_code& cancelled) {
      const auto core = weak.lock();
      if (cancelled || !core || core->channel == nullptr) return;
      if (Clock::now() >= core->end) ares_cancel(core->channel);
      ares_process_fd(core->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      core->arm();
    });
  }

  asio::io_context& context;
  asio::steady_timer timer;
  Clock::time_point end;
  ares_channel channel = nullptr;
  Allowance allowance;
  std::map<int, std::shared_ptr<Watched>> sockets;
  std::weak_ptr<Core> self;  // what the reactor's callbacks hold
};

Result<std::unique_ptr<DnsChannel>> DnsChannel::open(asio::io_context& context, const NameOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
  OPP2P_TRYV(check_configuration(options.resolv_conf));
  auto core = std::make_shared<Core>(context, options.longest);
  core->self = core;
  std::string path = options.resolv_conf;
  ares_options set{};
  set.sock_state_cb = Core::on_socket_state;
  set.sock_state_cb_data = core.get();
  set.timeout = milliseconds(options.server_timeout);
  set.tries = options.rounds;
  set.resolvconf_path = path.data();
  set.udp_port = set.tcp_port = options.port;
  int mask = ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT | ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
             ARES_OPT_RESOLVCONF;
  std::string lookups = "b";  // DNS alone, without the hosts file
  if (struct stat info{}; ::stat("/etc/hosts", &info) == 0 && !S_ISREG(info.st_mode)) {
    set.lookups = lookups.data();
    mask |= ARES_OPT_LOOKUPS;
  }
  int code = ares_init_options(&core->channel, &set, mask);
  if (code != ARES_SUCCESS) {
    core->channel = nullptr;
    return fail(Errc::io, "the resolver cannot be set up from " + path + ": " + ares_strerror(code));
  }
  ares_set_socket_functions(core->channel, &kSocketFunctions, &core->allowance);
  if (!options.servers.empty()) {
    std::string list;
    for (const std::string& server : options.servers) list.append(list.empty() ? "" : ",").append(server);
    code = ares_set_servers_ports_csv(core->channel, list.c_str());
    if (code != ARES_SUCCESS) {
      return fail(Errc::invalid_argument,
                  "'" + list + "' are no name servers: " + ares_strerror(code) + "; write IP:PORT or [IP]:PORT");
    }
  }
  return std::unique_ptr<DnsChannel>(new DnsChannel(std::move(core)));
}

DnsChannel::~DnsChannel() { core_->close(); }

void DnsChannel::query(const std::function<void(ares_channeldata*)>& ask) {
  ask(core_->channel);
  core_->arm();
}

std::string DnsChannel::servers() const {
  ares_addr_port_node* list = nullptr;
  if (core_->channel == nullptr || ares_get_servers_ports(core_->channel, &list) != ARES_SUCCESS) return "none";
  std::string out;
  for (const ares_addr_port_node* server = list; server != nullptr; server = server->next) {
    char text[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(server->family, &server->addr, text, sizeof text);
    if (!out.empty()) out.append(server->next == nullptr ? " and " : ", ");
    out.append(text);
  }
  ares_free_data(list);
  return out.empty() ? "none" : out;
}

}  // namespace libp2p::runtime
