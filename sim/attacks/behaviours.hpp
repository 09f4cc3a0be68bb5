// What sybils do, one thing to a class. An attack is a list of these (catalogue.cpp). Each acts by the phases of its
// plot: before the attack a sybil that is there forwards and answers as an honest node does.
//
// Owner: the sybil. Thread: the world's. Bounds: a time for each peer in TakesPlaces; kMostHeld blocks in Forwards and
// answers in Answers, of which the oldest go first.
#pragma once

#include <deque>

#include "sim/attacks/sybil.hpp"

namespace opp2p::sim::attacks {

// Takes a place in every mesh: GRAFT to whoever says that it is in the topic, and again `again` after a PRUNE. With
// more than the back-off of a PRUNE (60 s) that breaks no rule.
class TakesPlaces final : public Behaviour {
 public:
  explicit TakesPlaces(libp2p::Nanos again) : again_(again) {}
  void on_subscribed(Sybil& sybil, Member peer, libp2p::Now now) override;
  void on_prune(Sybil& sybil, Member peer, libp2p::Now now) override;
  void on_disconnected(Sybil& sybil, Member peer, libp2p::Now now) override;
  void on_timeout(Sybil& sybil, libp2p::Now now) override;
  std::optional<libp2p::MonoTime> next_deadline() const override;

 private:
  libp2p::Nanos again_;
  std::deque<std::pair<libp2p::MonoTime, Member>> due_;  // in the order of time
};

// Forwards blocks to the meshes that it is in: all of them at once before the attack, and during it a share, late.
class Forwards final : public Behaviour {
 public:
  static constexpr std::size_t kMostHeld = 256;
  struct Options {
    double drop = 0;        // share of the blocks that are not forwarded
    libp2p::Nanos delay{};  // of those that are
    bool censors = false;   // drops those of the censored publisher, and no others
  };
  explicit Forwards(Options options) : options_(options) {}
  void on_block(Sybil& sybil, Member from, const SeenBlock& block, libp2p::Now now) override;
  void on_timeout(Sybil& sybil, libp2p::Now now) override;
  std::optional<libp2p::MonoTime> next_deadline() const override;

 private:
  struct Held {
    libp2p::MonoTime due;
    Member from;
    libp2p::SharedBytes frame;
  };
  bool keeps_back(Sybil& sybil, const SeenBlock& block) const;

  Options options_;
  std::deque<Held> held_;
};

// Answers IWANT with what any sybil has: before the attack at once; during it after `delay`, or never.
class Answers final : public Behaviour {
 public:
  static constexpr std::size_t kMostHeld = 256;
  explicit Answers(std::optional<libp2p::Nanos> delay) : delay_(delay) {}
  void on_iwant(Sybil& sybil, Member from, const std::vector<libp2p::ByteView>& ids, libp2p::Now now) override;
  void on_timeout(Sybil& sybil, libp2p::Now now) override;
  std::optional<libp2p::MonoTime> next_deadline() const override;

 private:
  struct Held {
    libp2p::MonoTime due;
    Member to;
    libp2p::SharedBytes frame;
  };
  std::optional<libp2p::Nanos> delay_;
  std::deque<Held> held_;
};

// Does something to every peer `rate` times a second, for as long as the attack lasts.
class Spams : public Behaviour {
 public:
  explicit Spams(double rate);
  void on_connected(Sybil& sybil, Member peer, libp2p::Now now) final;
  void on_timeout(Sybil& sybil, libp2p::Now now) final;
  std::optional<libp2p::MonoTime> next_deadline() const final { return due_; }

 protected:
  virtual void spam(Sybil& sybil, libp2p::Now now) = 0;

 private:
  libp2p::Nanos interval_;
  std::optional<libp2p::MonoTime> due_;  // none while there is no peer
};

// GRAFT, whether the back-off is over or not.
class FloodsGrafts final : public Spams {
 public:
  using Spams::Spams;

 private:
  void spam(Sybil& sybil, libp2p::Now now) override;
};

// IHAVE of blocks that do not exist. Nothing answers the IWANT that follow.
class InventsIds final : public Spams {
 public:
  static constexpr std::size_t kIds = 16;  // in an IHAVE
  using Spams::Spams;

 private:
  void spam(Sybil& sybil, libp2p::Now now) override;
};

// IWANT of the blocks of the last kWindow, again and again.
class AsksAgain final : public Spams {
 public:
  static constexpr auto kWindow = libp2p::Seconds(6);
  using Spams::Spams;

 private:
  void spam(Sybil& sybil, libp2p::Now now) override;
};

// Blocks that are not valid, a new one each time.
class SendsBadBlocks final : public Spams {
 public:
  using Spams::Spams;

 private:
  void spam(Sybil& sybil, libp2p::Now now) override;
};

// Valid blocks of before: by turns one that the peers still know, and one that they have forgotten and must judge anew.
class Replays final : public Spams {
 public:
  static constexpr auto kForgotten = libp2p::Seconds(66);  // the seen cache keeps 65 s
  using Spams::Spams;

 private:
  void spam(Sybil& sybil, libp2p::Now now) override;
  bool old_next_ = false;
};

}  // namespace opp2p::sim::attacks
