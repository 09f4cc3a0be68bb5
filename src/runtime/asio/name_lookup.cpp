#include "runtime/asio/name_lookup.hpp"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace libp2p::runtime {
namespace {

using Done = std::function<void(Result<std::vector<std::string>>)>;

// Only the network thread looks into it.
struct Request {
  Done done;
};

class LookupOperation final : public Operation {
 public:
  explicit LookupOperation(std::shared_ptr<Request> request) : request_(std::move(request)) {}
  ~LookupOperation() override { request_->done = nullptr; }

 private:
  std::shared_ptr<Request> request_;
};

Result<std::vector<std::string>> look_up(const std::string& host, Family family) {
  addrinfo hints{};
  hints.ai_family = family == Family::ip4 ? AF_INET : family == Family::ip6 ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (code != 0) {
    const auto kind = code == EAI_NONAME || code == EAI_NODATA ? Errc::not_found : Errc::io;
    return fail(kind, "look-up of '" + host + "' failed: " + ::gai_strerror(code));
  }
  std::vector<std::string> out;
  for (const addrinfo* entry = list; entry != nullptr && out.size() < 64; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    if (std::find(out.begin(), out.end(), text) == out.end()) out.emplace_back(text);
  }
  ::freeaddrinfo(list);
  if (out.empty()) return fail(Errc::not_found, "look-up of '" + host + "' gave no address");
  return out;
}

}  // namespace

struct NameLookup::Shared {
  struct Job {
    std::string host;
    Family family;
    std::shared_ptr<Request> request;
  };
  std::mutex mutex;
  boost::asio::io_context* context;  // null once the runtime has gone
  std::deque<Job> waiting;
  std::size_t threads = 0;

  // Hands the answer to the network thread. The request travels with it, so that it is released there.
  bool answer(std::shared_ptr<Request> request, Result<std::vector<std::string>> result) {
    const std::lock_guard lock(mutex);
    if (context == nullptr) return false;
    boost::asio::post(*context, [request = std::move(request), result = std::move(result)]() mutable {
      if (const auto call = std::exchange(request->done, nullptr)) call(std::move(result));
    });
    return true;
  }

  // The system gave no thread. Those that run already will come to what waits; with none, nobody would.
  void refuse_without_thread() {
    std::deque<Job> refused;
    {
      const std::lock_guard lock(mutex);
      if (--threads == 0) refused.swap(waiting);
    }
    for (auto& job : refused) {
      answer(std::move(job.request),
             fail(Errc::exhausted, "look-up of '" + job.host + "' failed: the system gives no more threads"));
    }
  }

  static void loop(const std::shared_ptr<Shared>& self) {
    for (;;) {
      Job job;
      {
        const std::lock_guard lock(self->mutex);
        if (self->context == nullptr || self->waiting.empty()) {
          --self->threads;
          return;
        }
        job = std::move(self->waiting.front());
        self->waiting.pop_front();
      }
      auto result = look_up(job.host, job.family);
      self->answer(std::move(job.request), std::move(result));
    }
  }
};

NameLookup::NameLookup(boost::asio::io_context& context) : shared_(std::make_shared<Shared>()) {
  shared_->context = &context;
}

NameLookup::~NameLookup() {
  const std::lock_guard lock(shared_->mutex);
  shared_->context = nullptr;
  shared_->waiting.clear();
}

std::unique_ptr<Operation> NameLookup::start(const std::string& host, Family family, Done done) {
  auto request = std::make_shared<Request>();
  request->done = std::move(done);
  auto operation = std::make_unique<LookupOperation>(request);
  bool more_threads = false;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->waiting.size() >= kMostWaiting) {
      boost::asio::post(*shared_->context, [request, host] {
        if (const auto call = std::exchange(request->done, nullptr)) {
          call(fail(Errc::exhausted, "look-up of '" + host + "' refused: " + std::to_string(kMostWaiting) +
                                         " are waiting already"));
        }
      });
      return operation;
    }
    shared_->waiting.push_back({host, family, std::move(request)});
    more_threads = shared_->threads < kMostLookups;
    if (more_threads) ++shared_->threads;
  }
  if (more_threads) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([shared = shared_] { Shared::loop(shared); }).detach();
    } catch (const std::system_error&) {
      shared_->refuse_without_thread();
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  return operation;
}

}  // namespace libp2p::runtime
