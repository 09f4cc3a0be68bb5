#include "libp2p/host/dial_job.hpp"

#include <algorithm>
#include <utility>

namespace libp2p {

using runtime::Parking;
using runtime::Task;
using runtime::Wake;

void DialJob::add(const std::vector<Multiaddr>& more) {
  for (const Multiaddr& address : more) {
    const bool waits = std::find(addresses.begin(), addresses.end(), address) != addresses.end();
    const bool was_tried = std::find(tried.begin(), tried.end(), address) != tried.end();
    if (!waits && !was_tried) addresses.push_back(address);
  }
}

void DialJob::finish(Result<PeerId> result) {
  if (outcome) return;
  outcome.emplace(std::move(result));
  for (Parking* waiter : waiters) waiter->wake(Wake::ok);
}

namespace {

class JobWaiter {
 public:
  JobWaiter(DialJob& job, Parking& parking) : job_(job), parking_(parking) { job_.waiters.push_back(&parking_); }
  ~JobWaiter() {
    std::erase(job_.waiters, &parking_);
    if (job_.waiters.empty() && !job_.outcome && job_.on_abandoned) job_.on_abandoned();
  }
  JobWaiter(const JobWaiter&) = delete;
  JobWaiter& operator=(const JobWaiter&) = delete;

 private:
  DialJob& job_;
  Parking& parking_;
};

}  // namespace

Task<Result<PeerId>> wait_for_dial(std::shared_ptr<DialJob> job) {
  if (!job->outcome) {
    Parking parking;
    JobWaiter waiter(*job, parking);
    co_await parking.park();
    if (parking.outcome() != Wake::ok) co_return parking.result("the dial").error();
  }
  co_return *job->outcome;
}

}  // namespace libp2p
