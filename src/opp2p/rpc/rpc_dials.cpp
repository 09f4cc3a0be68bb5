#include "opp2p/rpc/rpc_dials.hpp"

#include "libp2p/base/assert.hpp"

namespace opp2p {

using libp2p::Errc;
using libp2p::Multiaddr;
using libp2p::Result;
using libp2p::runtime::Task;
using libp2p::runtime::TaskScope;

RpcDials::RpcDials(libp2p::runtime::Runtime& runtime, Connect connect)
    : runtime_(runtime), connect_(std::move(connect)) {}

RpcDials::~RpcDials() { stop(); }

void RpcDials::stop() {
  stopped_ = true;
  dials_.clear();
}

std::optional<RpcDials::Id> RpcDials::dial(const Multiaddr& address, Done done) {
  if (stopped_) return std::nullopt;
  if (dials_.size() >= kMost) {
    done(libp2p::fail(Errc::exhausted, std::to_string(kMost) +
                                           " dials of the RPC are under way, the most there may be; "
                                           "try again when some have ended"));
    return std::nullopt;
  }
  const auto id = next_id_++;
  Dial& added = dials_[id];
  added.done = std::move(done);
  added.limit = runtime_.make_timer([this, id] {
    end(id,
        libp2p::fail(Errc::timed_out, "no connection within " + std::to_string(kLimit / libp2p::Seconds(1)) + " s"));
  });
  added.limit->arm(runtime_.now().mono + kLimit);
  added.scope = std::make_unique<TaskScope>(runtime_);
  added.scope->spawn(run(id, address));
  OPP2P_ASSERT(dials_.size() <= kMost, "the dials of the RPC have a bound", dials_.size());
  return id;
}

Task<void> RpcDials::run(Id id, Multiaddr address) {
  const auto connected = co_await connect_(std::move(address));
  end(id, connected);
}

void RpcDials::end(Id id, Result<void> result) {
  if (const auto done = take_out(id)) (*done)(std::move(result));
}

void RpcDials::abandon(Id id) { (void)take_out(id); }

std::optional<RpcDials::Done> RpcDials::take_out(Id id) {
  const auto found = dials_.find(id);
  if (found == dials_.end()) return std::nullopt;
  found->second.limit->disarm();
  auto done = std::move(found->second.done);
  ended_.push_back(std::move(found->second));
  dials_.erase(found);
  runtime_.post(life_.guard([this] { ended_.clear(); }));
  return done;
}

}  // namespace opp2p
