// BlockWatch: notices that no block is accepted, and finds the likely cause. A pure engine.
//
// The first notice comes kFirst after the start, or sooner once kEnough blocks were refused. Later ones come when no
// block was accepted for `patience`, and then every kAgain. The cause is looked for in the reasons for which blocks
// were refused since the last accepted block or notice. Anybody can send blocks that are refused. Therefore blocks of
// static peers count before those of others, and a missing connection to the static peers counts before blocks of
// strangers. Without refused blocks the cause is looked for in the peers around the node (Surroundings).
//
// Owner: BlockLog. Thread: the network thread. Bounds: a counter for each reason.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "opstack/rules/block_rules.hpp"

namespace opp2p {

// What stands around the node when it is asked.
struct Surroundings {
  std::size_t static_peers = 0;    // configured
  std::size_t static_present = 0;  // of those, connected
  std::size_t peers = 0;           // connected
  std::size_t topic_peers = 0;     // of those, in a topic of the chain's blocks
  std::size_t other_chain = 0;     // of those, that serve another chain
  std::string chain;               // its id
};

struct LikelyCause {
  std::string_view text;
  std::string_view option;  // to look at; may be empty
  friend bool operator==(const LikelyCause&, const LikelyCause&) = default;
};

struct Stall {
  bool since_start = false;  // none was ever accepted
  libp2p::Nanos waited{};
  std::uint64_t refused = 0;                         // blocks that came since the last accepted one or the last notice
  std::optional<opstack::rules::Reason> reason;      // of most of those that tell of the cause
  std::optional<opstack::rules::Address> signed_by;  // whose signature all of these have that were refused for it
  LikelyCause cause;
};

class BlockWatch {
 public:
  static constexpr libp2p::Nanos kFirst = libp2p::Seconds(20);
  static constexpr libp2p::Nanos kSoonest = libp2p::Seconds(5);  // with kEnough refused blocks
  static constexpr std::uint64_t kEnough = 5;
  static constexpr libp2p::Nanos kAgain = libp2p::Seconds(300);

  // `begin`: when the chain or the node began, whichever is later.
  BlockWatch(libp2p::Nanos patience, libp2p::MonoTime begin)
      : patience_(patience), last_(begin), due_(begin + kFirst) {}

  // `of_static`: a static peer sent it, which tells more than what others send: anybody may come and send what is
  // refused.
  void on_refused(const opstack::rules::Outcome& outcome, libp2p::MonoTime now, bool of_static);
  // A block was accepted, published or stored. Answers how long there was none, when that was noticed.
  std::optional<libp2p::Nanos> on_accepted(libp2p::MonoTime now);

  libp2p::MonoTime next_deadline() const { return due_; }
  // Nothing when the deadline has moved meanwhile.
  std::optional<Stall> on_timeout(libp2p::MonoTime now, const Surroundings& around);
  // Asserts that counters and deadline agree.
  void check() const;

 private:
  // What was refused since the last accepted block or notice.
  struct Refusals {
    std::uint64_t count = 0;
    std::array<std::uint64_t, opstack::rules::kReasonCount> by_reason{};
    std::optional<opstack::rules::Address> signer;
    bool several_signers = false;
    void add(const opstack::rules::Outcome& outcome);
    opstack::rules::Reason most_frequent() const;
    LikelyCause cause(bool accepted_before) const;
    void check() const;
  };
  void forget_refusals();

  libp2p::Nanos patience_;
  libp2p::MonoTime last_;
  libp2p::MonoTime due_;
  bool accepted_ = false;
  bool noticed_ = false;
  Refusals of_static_, of_others_;
};

}  // namespace opp2p
