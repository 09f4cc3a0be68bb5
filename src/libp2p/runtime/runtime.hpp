// The only seam to the world. Engines get time and bytes as arguments; drivers get them from a Runtime: clock, timers,
// sockets, names, entropy and a worker pool. There are two: asio (the real world: epoll, one network thread, a small
// pool) and sim (a virtual clock and links in memory, everything on one thread and from one seed).
//
// Thread: everything here is called on the network thread, except post(), which any thread may call. All callbacks run
// on the network thread, never inside the call that asked for them; only run_here() runs what it is given at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/endpoint.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/base/time.hpp"

namespace libp2p::runtime {

using libp2p::Endpoint;
using libp2p::Family;

// A duplex byte stream. Reads and writes never block: they answer Errc::would_block, and when_readable / when_writable
// call back once when trying again makes sense (also when the socket failed). Destroying it closes it; no callback
// comes after that.
class Socket {
 public:
  virtual ~Socket() = default;
  // Bytes read, 0 at the end of the stream.
  virtual Result<std::size_t> read(MutableBytes into) = 0;
  // Bytes taken, at least 1.
  virtual Result<std::size_t> write(ByteView from) = 0;
  // No more will be written: the far end reads what was written and then the end. Closing a socket while bytes lie
  // unread makes TCP throw away what the far end has not read yet; who wants last words to arrive calls this and waits
  // for the far end's.
  virtual void shutdown_write() = 0;
  virtual void when_readable(std::function<void()> wake) = 0;
  virtual void when_writable(std::function<void()> wake) = 0;
  virtual Endpoint local() const = 0;
  virtual Endpoint remote() const = 0;
};

// Accepts until it is destroyed.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual Endpoint local() const = 0;
};

// Calls back once at its deadline. arm() again moves it. Destroying or disarming it means the callback does not come.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void arm(MonoTime deadline) = 0;
  virtual void disarm() = 0;
};

// A running operation that can be given up: destroying the handle means that its callback does not come.
class Operation {
 public:
  virtual ~Operation() = default;
};

// A runtime rejects an empty function when it is given (std::invalid_argument), not when it would be called, which can
// be when a stranger connects.
class Runtime {
 public:
  virtual ~Runtime() = default;

  virtual Now now() const = 0;
  virtual Rng& rng() = 0;

  // Runs `task` on the network thread, after what is already queued. The only call that other threads may make.
  virtual void post(std::function<void()> task) = 0;
  virtual std::unique_ptr<Timer> make_timer(std::function<void()> on_fire) = 0;

  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& at,
                                                   std::function<void(std::unique_ptr<Socket>)> on_accept) = 0;
  virtual std::unique_ptr<Operation> connect(const Endpoint& to,
                                             std::function<void(Result<std::unique_ptr<Socket>>)> done) = 0;
  // A and AAAA look-up.
  virtual std::unique_ptr<Operation> resolve(const std::string& host, Family family,
                                             std::function<void(Result<std::vector<std::string>>)> done) = 0;

  // The IPs of this machine's interfaces that are up, as inet_ntop writes them: without link-local ones of IPv6,
  // loopback last. An error when the system does not tell.
  virtual Result<std::vector<std::string>> interface_ips() const { return std::vector<std::string>(); }

  // Runs `work` on the pool (it must touch nothing that another thread may) and then `done` on the network thread. In
  // simulation both run on the one thread, `done` after a delay drawn from the seed, so that completions change places.
  virtual void run_on_worker(std::function<void()> work, std::function<void()> done) = 0;

  // Runs `work` inside this call and says how much of the network thread's time it took. The real runtime measures
  // that. In simulation the clock stands still meanwhile: the simulator charges a cost of its own model, drawn from the
  // seed.
  virtual Nanos run_here(const std::function<void()>& work) {
    const MonoTime begun = now().mono;
    work();
    return now().mono - begun;
  }
};

// For implementations.
template <class Function>
void require_function(const Function& given, std::string_view what) {
  if (!given) throw std::invalid_argument("the runtime is given an empty function: " + std::string(what));
}

}  // namespace libp2p::runtime
