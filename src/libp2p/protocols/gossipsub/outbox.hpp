// What waits to be sent to one peer. Control is not queued but merged: the newest word per topic, and lists of ids; it
// becomes a frame when the stream asks for one, so that one RPC carries what a burst would have made many; what does
// not fit into one (RpcLimits::max_sent_control) follows in the next. Messages are frames shared with the other peers,
// own ones before forwarded ones. Control, partial messages and messages take turns while they wait: none starves.
// Owned by the router's peer table. Bounds and overflow: messages in items and bytes, the oldest forwarded one goes
// first, then the oldest own; ids of IWANT and IDONTWANT in items, the oldest goes first; IHAVE is replaced per topic
// and bounded by who gives the ids (GossipParams::max_ihave_length); subscriptions, grafts and prunes are bounded by
// our own topics.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/ring_queue.hpp"
#include "libp2p/protocols/gossipsub/control_frame.hpp"
#include "libp2p/protocols/gossipsub/frame.hpp"
#include "libp2p/protocols/gossipsub/id_table.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"
#include "libp2p/protocols/gossipsub/params.hpp"
#include "libp2p/protocols/gossipsub/partial_outbox.hpp"

namespace libp2p::gossipsub {

class Outbox {
 public:
  enum class Kind : std::uint8_t { own, forwarded };
  struct Dropped {
    MessageId id;
    Kind kind;
  };

  // `max_control`: bytes of a control frame.
  Outbox(const OutboxParams& params, std::size_t max_idontwant_per_rpc, std::size_t max_control)
      : params_(params), max_idontwant_per_rpc_(max_idontwant_per_rpc), max_control_(max_control) {}

  // The extensions control that opens the stream (gossipsub v1.3): it leaves in the first frame.
  void announce_extensions() { extensions_ = true; }
  void announce(std::string_view topic, bool subscribe, PartialUse partial = PartialUse::none);
  void graft(std::string_view topic);
  // `backoff` in whole seconds; nothing for a peer of v1.0, which could not read it, nor `peers`.
  void prune(std::string_view topic, std::optional<std::uint64_t> backoff, std::vector<NamedPeer> peers = {});
  // What several peers are told, once in memory.
  struct Gossip {
    std::string topic;
    std::vector<MessageId> ids;
  };
  void ihave(std::shared_ptr<const Gossip> gossip);
  void ihave(std::string_view topic, std::vector<MessageId> ids) {
    ihave(std::make_shared<const Gossip>(Gossip{std::string(topic), std::move(ids)}));
  }
  void iwant(const std::vector<MessageId>& ids);
  void idontwant(const MessageId& id);

  // Queues the message unless it waits already (false). What had to go for it is added to `dropped`; that can be
  // itself.
  bool push(const MessageId& id, SharedBytes frame, Kind kind, std::vector<Dropped>& dropped);
  // Takes a waiting message out again. Answers whether there was one.
  bool cancel(const MessageId& id);
  bool waiting(const MessageId& id) const { return waiting_.contains(id); }

  PartialOutbox& partials() { return partials_; }
  const PartialOutbox& partials() const { return partials_; }

  bool empty() const { return !control_waits() && own_.empty() && forwarded_.empty() && partials_.empty(); }
  // The next frame; nothing when the outbox is empty.
  std::optional<SharedBytes> next();
  // The same, with control as an object.
  std::optional<OutgoingRpc> next_rpc();
  // Bytes of the message that next() would answer, 0 when it would be control; nothing when the outbox is empty.
  std::optional<std::size_t> next_size() const;
  // Of the message that was taken or dropped last: when next() or next_rpc() has answered a message, of that one.
  const MessageId& last_id() const { return last_id_; }

  std::size_t items() const { return own_.size() + forwarded_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t dropped_ids() const { return dropped_ids_; }
  void check() const;

 private:
  struct Item {
    MessageId id;
    SharedBytes frame;
  };
  struct Announcement {
    bool subscribe = false;
    PartialUse partial = PartialUse::none;
  };
  struct MeshChange {
    bool graft = false;
    std::optional<std::uint64_t> backoff;
    std::vector<NamedPeer> peers;
  };
  struct WaitingGossip {
    std::shared_ptr<const Gossip> gossip;
    std::size_t sent = 0;  // of its ids
    std::span<const MessageId> left() const { return std::span(gossip->ids).subspan(sent); }
  };
  using Queue = RingQueue<Item>;

  enum class Turn : std::uint8_t { nobody, control, partial, message };
  Turn whose_turn() const;
  Turn take_turn();
  bool control_waits() const;
  std::size_t check_queue(const Queue& queue, Kind kind) const;
  // `finish` makes of the filled frame what is sent.
  template <class Finish>
  auto take_control(const Finish& finish);
  static bool add_mesh_change(ControlFrame& frame, std::string_view topic, const MeshChange& change);
  Queue& first_queue() { return own_.empty() ? forwarded_ : own_; }
  const Queue& first_queue() const { return own_.empty() ? forwarded_ : own_; }
  SharedBytes take_front(Queue& queue);
  void drop_front(Queue& queue, Kind kind, std::vector<Dropped>& dropped);
  void erase(Queue& queue, const MessageId& id);

  OutboxParams params_;
  std::size_t max_idontwant_per_rpc_;
  std::size_t max_control_;
  bool extensions_ = false;
  std::map<std::string, Announcement, std::less<>> subscriptions_;
  std::map<std::string, MeshChange, std::less<>> mesh_;
  std::vector<WaitingGossip> ihave_;  // in the order of topics
  RingQueue<MessageId> iwant_;
  RingQueue<MessageId> idontwant_;
  PartialOutbox partials_;
  Queue own_;
  Queue forwarded_;
  IdTable<Kind> waiting_;  // without a secret, for it is small
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ids_ = 0;
  bool control_had_turn_ = false;
  MessageId last_id_;
  bool partials_had_turn_ = false;
};

}  // namespace libp2p::gossipsub
