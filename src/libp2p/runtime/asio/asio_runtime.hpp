// The runtime on the operating system: an io_context (epoll) that one thread runs, the network thread, and a small pool
// of worker threads. Reads and writes go directly to the sockets. Asio only reports when they are ready, so an idle
// connection needs no buffer.
//
// Thread: run() and all other functions on one thread; post() and stop() from any. Destroy it on that thread, after
// everything that was made from it. Bounds: the users of the pool bound its queue; LookupQueue bounds name look-ups.
#pragma once

#include <functional>
#include <memory>

#include "libp2p/runtime/asio/name_options.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace boost::asio {
class io_context;
}

namespace libp2p::runtime {

struct AsioRuntimeOptions {
  std::size_t workers = 2;  // threads of the pool
  Nanos spin{0};            // the longest time to look for events before sleeping (AdaptiveSpin); zero: sleep at once
  NameOptions names;        // where names are looked up
};

class AsioRuntime final : public Runtime {
 public:
  static constexpr std::size_t kDefaultWorkers = 2;
  explicit AsioRuntime(std::size_t workers = kDefaultWorkers, Nanos spin = Nanos(0));
  explicit AsioRuntime(AsioRuntimeOptions options);
  // Lets work that runs on the pool end, drops what has not started and every callback that is still queued.
  ~AsioRuntime() override;

  // Handles events until stop(). An exception of a callback leaves it; it may be called again.
  void run();
  void stop();
  // Handles events until `done` answers true, which is asked after each one; false when `limit` passed first.
  bool run_until(const std::function<bool()>& done, Nanos limit);

  Now now() const override;
  Rng& rng() override;
  void post(std::function<void()> task) override;
  std::unique_ptr<Timer> make_timer(std::function<void()> on_fire) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at,
                                           std::function<void(std::unique_ptr<Socket>)> on_accept) override;
  std::unique_ptr<Operation> connect(const Endpoint& to,
                                     std::function<void(Result<std::unique_ptr<Socket>>)> done) override;
  std::unique_ptr<Operation> resolve(const std::string& host, Family family,
                                     std::function<void(Result<std::vector<std::string>>)> done) override;
  Result<std::vector<std::string>> interface_ips() const override;
  void run_on_worker(std::function<void()> work, std::function<void()> done) override;

  // For code that needs Asio itself, as for signals; tasks (libp2p/runtime/task.hpp) do not.
  boost::asio::io_context& executor();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace libp2p::runtime
