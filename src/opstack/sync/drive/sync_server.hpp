// The payload_by_number server: a coroutine for each request that waits for its turn, reads the number, has it looked
// up, and sends the block as it lies in the store, compressed chunk by chunk.
//
// Owner: the node; destroyed before its Host and its BlockSource. Thread: the network thread; the look-up runs
// elsewhere. Bounds: RequestLimits (what runs at once, and the rates unless they are off), max_sending bytes of blocks
// that are being sent, with a share for each peer and address (a block counts until the peer has taken it or its stream
// is gone, also when its exchange is over here), 20 s for waiting and looking up, 10 s each for reading and writing. A
// request whose stream has ended leaves its place at once.
// Beyond a bound the answer is code 3, and the peer that holds most and has read nothing for write_timeout is
// disconnected. Source: op-node surface, section 7 (server), without the head-of-line blocking of section 13.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "libp2p/base/event_source.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/base/share_pool.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/task.hpp"
#include "opstack/chain/rollup_config.hpp"
#include "opstack/sync/drive/chain_store.hpp"
#include "opstack/sync/engine/request_limiter.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opstack::sync {

struct SyncServerConfig {
  RequestLimits limits;
  Nanos read_timeout = libp2p::Seconds(10);
  Nanos write_timeout = libp2p::Seconds(10);
  // Bytes of blocks that are queued for peers: in all, for one, and for those of one IPv4 address or /56.
  std::size_t max_sending = 96 << 20;
  std::size_t max_sending_per_peer = 24 << 20;
  std::size_t max_sending_per_address = 48 << 20;
};

// One request that was answered, or not, for logs and metrics. Told when it is over, inside its coroutine: a listener
// must not destroy or close the server.
struct ServedRequest {
  PeerId peer;
  std::optional<std::uint64_t> number;  // none when the request was not read
  std::uint8_t code = 0;                // as sent
  bool completed = false;               // the whole answer went out
  std::size_t bytes = 0;                // of the block as it is sent, compressed
  Nanos took{0};
  std::string why;  // of a code other than 0, or of an answer that broke off
};

class SyncServer : libp2p::LiveCounted<SyncServer> {
 public:
  // Serves from now on. `rollup` and `source` outlive the server.
  SyncServer(libp2p::Host& host, const chain::RollupConfig& rollup, BlockSource& source, SyncServerConfig config);
  ~SyncServer();
  SyncServer(const SyncServer&) = delete;
  SyncServer& operator=(const SyncServer&) = delete;

  libp2p::Subscription subscribe(std::function<void(const ServedRequest&)> listener) {
    return events_.subscribe(std::move(listener));
  }
  const std::string& protocol() const { return protocol_; }
  // Requests that wait or are being served, and bytes of the blocks that are being sent.
  std::size_t serving() const { return turns_.size(); }
  std::size_t sending_bytes() const { return sending_->pool.used(); }
  void check() const {
    limiter_.check();
    sending_->pool.check();
    for (const auto& [peer, count] : sending_->gone)
      OPP2P_CHECK(sending_->pool.held(peer) > 0, "only of peers for whom blocks are queued is counted what has gone",
                  count);
  }
  // Stops serving and ends what runs.
  libp2p::runtime::Task<void> close();

 private:
  class Turn;
  struct Lookup;
  libp2p::runtime::Task<void> serve(libp2p::Stream stream);
  libp2p::runtime::Task<std::uint8_t> answer(libp2p::Stream& stream, ServedRequest& report);
  libp2p::runtime::Task<std::uint8_t> look_up(libp2p::Stream& stream, std::uint64_t number, MonoTime until,
                                              ServedRequest& report);
  Result<libp2p::SharedBytes> count_sending(const PeerId& peer, libp2p::SharedBytes frames);
  void note_reading(const PeerId& peer);
  void disconnect_deaf_peer(const libp2p::Bytes* narrow);
  libp2p::runtime::Task<void> send_block(libp2p::Stream& stream, ServedBlock block, ServedRequest& report);
  libp2p::runtime::Task<void> send_code(libp2p::Stream& stream, std::uint8_t code, ServedRequest& report);
  const libp2p::AddressBlocks& blocks_of(const PeerId& peer);
  void pump();
  MonoTime now() const { return host_.runtime().now().mono; }

  libp2p::Host& host_;
  const chain::RollupConfig& rollup_;
  BlockSource& source_;
  const SyncServerConfig config_;
  libp2p::EventSource<ServedRequest> events_;
  const std::string protocol_;
  RequestLimiter limiter_;
  // Where peers are, read anew after kLocatedFor: each of many requests a second would ask the host for it.
  struct Located {
    libp2p::AddressBlocks blocks;
    MonoTime until;
  };
  static constexpr Nanos kLocatedFor = libp2p::Seconds(10);
  libp2p::LruMap<PeerId, Located> located_;
  // Bytes of blocks that are queued, and how many blocks of a peer that has some have gone.
  struct Sending {
    libp2p::SharePool<PeerId> pool;
    std::map<PeerId, std::uint64_t> gone;
    std::uint64_t gone_of(const PeerId& peer) const {
      const auto found = gone.find(peer);
      return found == gone.end() ? 0 : found->second;
    }
  };
  std::shared_ptr<Sending> sending_;  // shared with what is queued, which may outlive the server
  struct Reading {
    std::uint64_t gone = 0;
    MonoTime since;  // when it was last seen to read
  };
  libp2p::LruMap<PeerId, Reading> reading_;
  std::map<TicketId, Turn*> turns_;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
  libp2p::runtime::TaskScope scope_;  // last: its coroutines use the members above
};

}  // namespace opstack::sync
