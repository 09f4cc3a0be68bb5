// Builds the chain and gives each block to the sequencer when the clock reaches its timestamp. Thread: one of its own;
// the counters may be read from any.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libp2p/base/result.hpp"
#include "opstack/testing/chain_builder.hpp"

namespace opp2p::devnet {

using libp2p::Bytes;
using libp2p::ByteView;
using opstack::payload::Envelope;

class Producer {
 public:
  // Hands a block over; an error is kept and tried again once with the same block.
  using Publish = std::function<libp2p::Result<void>(const Envelope&)>;

  Producer(opstack::testing::ChainBuilder& chain, Publish publish);
  ~Producer();

  void start();
  // No further block is begun; returns when the last one has been handed over.
  void stop();

  // The hash of each block that was published, from block 1 on, as 0x text.
  std::vector<std::string> hashes() const;
  std::uint64_t head() const { return head_.load(); }
  std::string last_error() const;

 private:
  void run();
  bool publish(const Envelope& block);

  opstack::testing::ChainBuilder& chain_;
  Publish publish_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> head_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> hashes_;
  std::string error_;
};

}  // namespace opp2p::devnet
