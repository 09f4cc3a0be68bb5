#include "apps/devnet/producer.hpp"

#include <chrono>

namespace opp2p::devnet {
namespace {

using SystemClock = std::chrono::system_clock;
constexpr auto kTick = std::chrono::milliseconds(2);

}  // namespace

Producer::Producer(opstack::testing::ChainBuilder& chain, Publish publish)
    : chain_(chain), publish_(std::move(publish)) {}

Producer::~Producer() { stop(); }

void Producer::start() {
  thread_ = std::thread([this] { run(); });
}

void Producer::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

std::vector<std::string> Producer::hashes() const {
  const std::lock_guard lock(mutex_);
  return hashes_;
}

std::string Producer::last_error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void Producer::run() {
  while (!stopping_) {
    // Built ahead of its time, so that what followers measure from the timestamp on is the way, not the making.
    const auto block = chain_.next();
    const SystemClock::time_point due{std::chrono::seconds(block.payload.timestamp)};
    while (!stopping_ && SystemClock::now() < due) std::this_thread::sleep_for(kTick);
    if (stopping_) return;
    if (!publish(block)) return;
    const std::lock_guard lock(mutex_);
    hashes_.push_back(libp2p::to_hex0x(block.payload.block_hash));
    head_ = block.payload.block_number;
  }
}

bool Producer::publish(const Envelope& block) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto done = publish_(block);
    if (done) return true;
    const std::lock_guard lock(mutex_);
    error_ = "block " + std::to_string(block.payload.block_number) + ": " + done.error().text();
  }
  return false;
}

}  // namespace opp2p::devnet
