#include "opp2p/rpc/rpc_worker.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace opp2p {

struct RpcWorker::State {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> tasks;
  bool stopping = false;
  std::thread thread;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return stopping || !tasks.empty(); });
      if (stopping) return;
      auto task = std::move(tasks.front());
      tasks.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }
};

RpcWorker::RpcWorker() : state_(std::make_unique<State>()) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

RpcWorker::~RpcWorker() { stop(); }

void RpcWorker::post(std::function<void()> task) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    state_->tasks.push_back(std::move(task));
  }
  state_->wake.notify_one();
}

void RpcWorker::stop() {
  std::deque<std::function<void()>> dropped;  // outside the lock: what a task holds may post
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    dropped.swap(state_->tasks);
  }
  state_->wake.notify_one();
  if (state_->thread.joinable()) state_->thread.join();
}

libp2p::MonoTime RpcWorker::now() { return libp2p::MonoTime(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace opp2p
