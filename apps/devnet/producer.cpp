#include "apps/devnet/producer.hpp"

#include <chrono>

namespace opp2p::devnet {
namespace {

using SystemClock = std::chrono::system_clock;
constexpr auto kTick = std::chrono::milliseconds(2);

}  // namespace

Producer::Producer(opstack::testing::ChainBuilder chain, libp2p::Nanos late, Publish publish, Published published)
    : chain_(std::move(chain)), late_(late), publish_(std::move(publish)), published_(std::move(published)) {
  thread_ = std::thread([this] { run(); });
}

Producer::~Producer() { stop(); }

void Producer::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string Producer::last_error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void Producer::run() {
  while (!stopping_) {
    // Built ahead of its time, so that what followers measure from the timestamp on is the way, not the making.
    const auto block = chain_.next();
    const auto due = SystemClock::time_point{std::chrono::seconds(block.payload.timestamp)} + late_;
    while (!stopping_ && SystemClock::now() < due) std::this_thread::sleep_for(kTick);
    if (stopping_ || !publish(block)) return;
    published_(chain_);
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
