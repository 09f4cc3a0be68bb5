#include "libp2p/host/host_calls.hpp"

#include <utility>

namespace libp2p {

using runtime::Task;

namespace {

Error host_closed() { return fail(Errc::closed, "the host is closed"); }

}  // namespace

Task<Result<PeerId>> connect_to(HostLink host, Multiaddr address) {
  HostState* const state = host.open_state();
  if (state == nullptr) co_return host_closed();
  const auto named = address.peer_id();
  PeerId peer;  // empty: whoever answers
  if (named) peer = *named;
  if (peer == state->self) co_return fail(Errc::invalid_argument, "'" + address.text() + "' is this node itself");
  if (!peer.empty() && state->swarm->usable(peer) != nullptr) co_return peer;
  auto job = state->dialer->dial(peer, {address});
  auto waiting = wait_for_dial(std::move(job));
  auto outcome = co_await waiting;
  co_return outcome;
}

Task<Result<PeerId>> connect_peer(HostLink host, PeerId peer) {
  HostState* const state = host.open_state();
  if (state == nullptr) co_return host_closed();
  if (peer == state->self) co_return fail(Errc::invalid_argument, "a node cannot connect to itself");
  if (state->swarm->usable(peer) != nullptr) co_return peer;
  const auto addresses = state->peerstore.addresses(peer, state->runtime.now().mono);
  if (addresses.empty()) {
    co_return fail(Errc::not_found, "no address of " + peer.to_base58() + " is known; dial it with a multiaddr");
  }
  auto job = state->dialer->dial(peer, addresses);
  auto waiting = wait_for_dial(std::move(job));
  auto outcome = co_await waiting;
  co_return outcome;
}

Task<Result<Stream>> open_stream(HostLink host, PeerId peer, std::vector<std::string> protocols) {
  if (protocols.empty()) co_return fail(Errc::invalid_argument, "a stream needs at least one protocol");
  const bool waits_for_choice = protocols.size() > 1;
  HostState* state = host.open_state();
  if (state == nullptr) co_return host_closed();
  if (state->swarm->usable(peer) == nullptr) {
    HostLink again = host;
    PeerId whom = peer;
    auto connecting = connect_peer(std::move(again), std::move(whom));
    auto outcome = co_await connecting;
    if (!outcome) co_return outcome.error();
  }
  state = host.open_state();
  if (state == nullptr) co_return host_closed();
  auto started = state->start_stream(peer, std::move(protocols));
  if (!started) co_return started.error();
  std::shared_ptr<StreamState> stream = std::move(*started);
  Stream handle(stream);
  if (waits_for_choice) {
    auto opening = wait_until_opened(stream);
    auto opened = co_await opening;
    if (!opened) co_return opened.error();
  }
  co_return handle;
}

namespace {

// An opening that a deadline may overtake.
struct Opening {
  explicit Opening(runtime::Runtime& runtime) : done(runtime) {}
  runtime::Event done;
  std::optional<Result<Stream>> outcome;
};

Task<void> keep_outcome(Task<Result<Stream>> opening, std::shared_ptr<Opening> kept) {
  auto outcome = co_await opening;
  kept->outcome.emplace(std::move(outcome));
  kept->done.signal();
}

}  // namespace

Task<Result<Stream>> open_by(runtime::Runtime& runtime, Task<Result<Stream>> opening, MonoTime deadline,
                             std::string what) {
  if (runtime.now().mono >= deadline) co_return fail(Errc::timed_out, what + " did not begin: its deadline is past");
  auto kept = std::make_shared<Opening>(runtime);
  // What has not ended by the deadline ends with this scope: a dial is abandoned, a stream reset.
  runtime::TaskScope scope(runtime);
  scope.spawn(keep_outcome(std::move(opening), kept));
  auto waiting = kept->done.wait_until(deadline);
  const auto woken = co_await waiting;
  if (!kept->outcome) {
    const bool late = woken.error() == Errc::timed_out;
    co_return late ? fail(Errc::timed_out, what + " did not end by its deadline") : woken.error().within(what);
  }
  if (!*kept->outcome) co_return kept->outcome->error();
  Stream stream = std::move(**kept->outcome);
  stream.set_read_deadline(deadline);
  stream.set_write_deadline(deadline);
  co_return stream;
}

Task<void> close_host(HostLink host, Nanos limit) {
  HostState* state = host.state();
  if (state == nullptr) co_return;
  const MonoTime end = state->runtime.now().mono + limit;
  state->closing = true;
  state->swarm->stop_listening();
  state->dialer->cancel();
  state->swarm->close_all(fail(Errc::closed, "the host is closing"), end);
  // The event may have been signalled by an earlier emptiness.
  while (true) {
    state = host.state();
    if (state == nullptr) co_return;
    if (state->swarm->total_count() == 0) break;
    auto waiting = state->emptied.wait_until(end);
    const auto emptied = co_await waiting;
    if (!emptied) break;  // at the deadline the connections close themselves
  }
  state = host.state();
  if (state == nullptr) co_return;
  auto joining = state->scope->close_by(end + Millis(1));
  const auto joined = co_await joining;
  (void)joined;  // what did not end by itself is destroyed with the scope
  state = host.state();
  if (state == nullptr) co_return;
  state->scope = std::make_unique<runtime::TaskScope>(state->runtime);
}

}  // namespace libp2p
