#include "opstack/reputation/peer_monitor.hpp"

#include <algorithm>
#include <string>

#include "opstack/reputation/ban_text.hpp"

namespace opstack::reputation {
std::optional<PeerId> PeerMonitor::next(const std::function<std::vector<PeerId>()>& connected) {
  if (list_.empty()) {
    list_ = connected();
    std::reverse(list_.begin(), list_.end());
  }
  if (list_.empty()) return std::nullopt;
  const PeerId peer = list_.back();
  list_.pop_back();
  return peer;
}

std::string PeerMonitor::text_of_score(double score) const {
  return "its score is " + score_text(score) + ", below the ban threshold of " + score_text(threshold_);
}

std::string PeerMonitor::text_of_messages(std::size_t blamed_messages, Nanos window) {
  const auto seconds = std::chrono::floor<libp2p::Seconds>(window).count();
  return "it sent " + std::to_string(blamed_messages) + " different invalid messages within " +
         std::to_string(seconds) + " s";
}

}  // namespace opstack::reputation
