#include "libp2p/runtime/asio/name_lookup.hpp"

#include <ares.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <set>
#include <utility>

#include "libp2p/base/peer_text.hpp"
#include "libp2p/runtime/asio/dns_channel.hpp"

namespace libp2p::runtime {
namespace {

using Addresses = Result<std::vector<std::string>>;
using Done = std::function<void(Addresses)>;

constexpr char kConfiguration[] = "check the nameserver lines of ";

std::string_view record_of(Family family) {
  switch (family) {
    case Family::ip4: return "IPv4 address (A record)";
    case Family::ip6: return "IPv6 address (AAAA record)";
    case Family::any: break;
  }
  return "address (A or AAAA record)";
}

// Peers may tell names of any bytes; nothing of such a one goes to a name server.
bool is_host_name(std::string_view host) {
  constexpr std::size_t kLongest = 255;
  return !host.empty() && host.size() <= kLongest &&
         std::all_of(host.begin(), host.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

struct FreeAddresses {
  void operator()(ares_addrinfo* list) const { ares_freeaddrinfo(list); }
};

std::vector<std::string> texts_of(const ares_addrinfo& list) {
  std::vector<std::string> out;
  for (const auto* node = list.nodes; node != nullptr && out.size() < NameLookup::kMostAddresses;
       node = node->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(node->ai_addr, node->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    if (std::find(out.begin(), out.end(), text) == out.end()) out.emplace_back(text);
  }
  return out;
}

}  // namespace

struct NameLookup::Shared {
  Shared(boost::asio::io_context& c, NameOptions o)
      : context(c), options(std::move(o)), queue(options.most_running, options.most_waiting) {}
  boost::asio::io_context& context;
  NameOptions options;
  LookupQueue queue;
  std::set<Request*> requests;
};

struct NameLookup::Request {
  Request(std::shared_ptr<Shared> s, const std::string& name, Family f, Done d)
      : shared(std::move(s)), host(name), family(f), done(std::move(d)) {
    shared->requests.insert(this);
  }
  ~Request() { shared->requests.erase(this); }

  void ask();
  static void on_answer(void* request, int status, int, ares_addrinfo* list);
  Error error_of(int status) const;
  void finish(Addresses answer);
  // Ended or abandoned: sockets, timer and place are free at once.
  void leave() {
    channel.reset();
    if (const auto id = std::exchange(place, std::nullopt)) shared->queue.leave(*id);
  }

  std::shared_ptr<Shared> shared;
  std::string host;
  Family family;
  Done done;
  std::weak_ptr<Request> self;
  std::optional<LookupQueue::Id> place;
  std::unique_ptr<DnsChannel> channel;
};

class NameLookup::LookupOperation final : public Operation {
 public:
  explicit LookupOperation(std::shared_ptr<Request> request) : request_(std::move(request)) {}
  ~LookupOperation() override {
    request_->done = nullptr;
    request_->leave();
  }

 private:
  std::shared_ptr<Request> request_;
};

void NameLookup::Request::ask() {
  if (!is_host_name(host)) return finish(error_of(ARES_EBADNAME));
  boost::system::error_code no_literal;
  const auto literal = boost::asio::ip::make_address(host, no_literal);
  if (!no_literal) {  // c-ares 1.18 would ask for 127.0.0.1 as a name
    const bool fits = family == Family::any || literal.is_v6() == (family == Family::ip6);
    return finish(fits ? Addresses(std::vector<std::string>{literal.to_string()}) : Addresses(error_of(ARES_ENODATA)));
  }
  auto opened = DnsChannel::open(shared->context, shared->options);
  if (!opened)
    return finish(fail(opened.error().code(), "look-up of '" + peer_text(host) + "' failed: " + opened.error().text()));
  channel = std::move(*opened);
  channel->query([this](ares_channel ares) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family == Family::ip4 ? AF_INET : family == Family::ip6 ? AF_INET6 : AF_UNSPEC;
    ares_getaddrinfo(ares, host.c_str(), nullptr, &hints, on_answer, this);
  });
}

// Inside of c-ares: nothing of the caller's runs here.
void NameLookup::Request::on_answer(void* request, int status, int, ares_addrinfo* list) {
  const std::unique_ptr<ares_addrinfo, FreeAddresses> owned(list);
  if (status == ARES_EDESTRUCTION) return;  // abandoned
  auto& asked = *static_cast<Request*>(request);
  if (status != ARES_SUCCESS) return asked.finish(asked.error_of(status));
  auto texts = texts_of(*owned);
  if (texts.empty()) return asked.finish(asked.error_of(ARES_ENODATA));
  asked.finish(std::move(texts));
}

Error NameLookup::Request::error_of(int status) const {
  const std::string what = "look-up of '" + peer_text(host) + "' failed: ";
  const std::string servers = channel ? channel->servers() : "none";
  const std::string check = std::string(kConfiguration) + shared->options.resolv_conf;
  switch (status) {
    case ARES_ENOTFOUND: return fail(Errc::not_found, what + "no such name; check how it is written");
    case ARES_ENODATA:
      return fail(Errc::not_found,
                  what + "the name has no " + std::string(record_of(family)) + "; check its DNS records");
    case ARES_EBADNAME: return fail(Errc::invalid_argument, what + "this is no host name; check how it is written");
    case ARES_ETIMEOUT:
    case ARES_ECANCELLED:
      return fail(Errc::timed_out,
                  what + "no answer from the name servers (" + servers + "); " + check + " and the way to them");
    case ARES_ECONNREFUSED:  // c-ares says so, too, when each server failed or refused
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
      return fail(Errc::io, what + "the name servers (" + servers + ") are not there, or cannot or will not answer; " +
                                "try again later, or " + check);
    default:
      return fail(Errc::io, what + ares_strerror(status) + ", from the name servers (" + servers +
                                "); try again later, or " + check);
  }
}

void NameLookup::Request::finish(Addresses answer) {
  boost::asio::post(shared->context, [request = self.lock(), answer = std::move(answer)]() mutable {
    request->leave();
    if (const auto call = std::exchange(request->done, nullptr)) call(std::move(answer));
  });
}

NameLookup::NameLookup(boost::asio::io_context& context, NameOptions options)
    : shared_(std::make_shared<Shared>(context, std::move(options))) {}

NameLookup::~NameLookup() {
  shared_->queue.clear();
  for (Request* request : shared_->requests) request->channel.reset();
}

const LookupQueue& NameLookup::queue() const { return shared_->queue; }

std::unique_ptr<Operation> NameLookup::start(const std::string& host, Family family, Done done) {
  auto request = std::make_shared<Request>(shared_, host, family, std::move(done));
  request->self = request;
  auto operation = std::make_unique<LookupOperation>(request);
  request->place = shared_->queue.enter([weak = request->self] {
    if (const auto started = weak.lock()) started->ask();
  });
  if (!request->place) {
    request->finish(fail(Errc::exhausted, "look-up of '" + peer_text(host) +
                                              "' refused: " + std::to_string(shared_->queue.running()) +
                                              " are under way and " + std::to_string(shared_->queue.waiting()) +
                                              " wait, which are the limits; try again when some have ended"));
  }
  return operation;
}

}  // namespace libp2p::runtime
