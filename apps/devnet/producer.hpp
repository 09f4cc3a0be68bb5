// Builds one branch of the chain and gives each block to a sequencer when the clock reaches its timestamp. A branch
// that begins below the published tip is behind its time: its first blocks are given one after the other. Thread: one
// of its own; the error may be read from any.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "opstack/testing/chain_builder.hpp"

namespace opp2p::devnet {

using opstack::payload::Envelope;

class Producer {
 public:
  // Hands a block over; an error is kept and tried again once with the same block.
  using Publish = std::function<libp2p::Result<void>(const Envelope&)>;
  // A block was handed over; the builder has it as its head. On the producer's thread.
  using Published = std::function<void(const opstack::testing::ChainBuilder&)>;

  // `chain`: its head is the parent of the first block. `late`: each block comes so long after its timestamp.
  Producer(opstack::testing::ChainBuilder chain, libp2p::Nanos late, Publish publish, Published published);
  ~Producer();

  // No further block is begun; returns when the last one has been handed over.
  void stop();
  std::string last_error() const;

 private:
  void run();
  bool publish(const Envelope& block);

  opstack::testing::ChainBuilder chain_;
  const libp2p::Nanos late_;
  Publish publish_;
  Published published_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::string error_;
  std::thread thread_;
};

}  // namespace opp2p::devnet
