// One control RPC that is being filled, up to a bound in bytes. Each add_… function says whether its entry fitted (or
// how many ids did), so that whoever fills it keeps the rest for the next RPC. A frame takes its first entry whatever
// its size: what is larger than the bound stays alone.
//
// Owner: the outbox, for one call. Bounds: `max_bytes`, of the whole frame with its length prefix. Peers bound what
// they decode: go-libp2p-pubsub 0.17 takes 512 KiB of control, rust-libp2p 0.50 refuses more than 16 KiB by default.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "libp2p/base/ring_queue.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"
#include "libp2p/protocols/gossipsub/owned_rpc.hpp"
#include "libp2p/protocols/gossipsub/partial_messages.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"

namespace libp2p::gossipsub {

// A peer that a PRUNE names (peer exchange).
struct NamedPeer {
  PeerId peer;
  Bytes record = {};  // signed; may be empty
};

// What is added by reference has to live until encode().
class ControlFrame {
 public:
  explicit ControlFrame(std::size_t max_bytes);

  bool empty() const { return is_empty_; }
  bool add_extensions();
  bool add_subscription(std::string_view topic, bool subscribe, PartialUse partial = PartialUse::none);
  bool add_graft(std::string_view topic);
  // Peers that would make the entry alone larger than a frame are left out, from the last.
  bool add_prune(std::string_view topic, std::optional<std::uint64_t> backoff, std::span<const NamedPeer> peers = {});
  // How many of the ids fitted, from the front.
  std::size_t add_ihave(std::string_view topic, std::span<const MessageId> ids);
  std::size_t add_iwant(const RingQueue<MessageId>& ids);
  std::size_t add_idontwant(const RingQueue<MessageId>& ids, std::size_t most);

  // Something has been added.
  SharedBytes encode() const;
  // What encode() would encode; it takes the place of that.
  OutgoingRpc take_rpc();

 private:
  // Whether an entry of `size` bytes fits; it is counted then. The first one always does.
  bool take(std::size_t size);
  std::size_t entry_size(std::size_t inner) const;
  template <class Ids>
  std::size_t add_ids(std::vector<ByteView>& to, std::size_t entry, const Ids& ids, std::size_t most);
  Control& control();

  std::size_t max_bytes_;
  std::size_t left_;
  std::size_t room_ = 0;  // left_ of an empty frame
  bool is_empty_ = true;
  Rpc rpc_;
};

}  // namespace libp2p::gossipsub
