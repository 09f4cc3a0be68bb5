#include "gossip_peer.hpp"

#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <istream>
#include <map>

#include "libp2p/crypto/hash.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/services/gossipsub/pubsub.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "print_line.hpp"

namespace interop {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using libp2p::Errc;
using libp2p::Multiaddr;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::gossipsub::SignaturePolicy;
using libp2p::runtime::Task;

constexpr std::size_t kMaxCommand = 1U << 20;

void print_result(std::string_view command, const Result<void>& result) {
  json::object line{{"event", "result"}, {"command", command}, {"ok", result.has_value()}};
  if (!result) line["error"] = result.error().message();
  print(line);
}

void print_message(std::string_view event, std::string_view topic, const PeerId& author, libp2p::ByteView data) {
  print({{"event", event},
         {"topic", topic},
         {"author", author == PeerId() ? std::string() : author.to_base58()},
         {"bytes", data.size()},
         {"digest", libp2p::to_hex(libp2p::crypto::sha256(data))}});
}

libp2p::PubSubConfig pubsub_config(const GossipOptions& options) {
  libp2p::PubSubConfig out;
  if (options.signatures == "unsigned") out.gossipsub.router.policies.standard = SignaturePolicy::strict_no_sign;
  return out;
}

class GossipPeer {
 public:
  GossipPeer(libp2p::runtime::AsioRuntime& runtime, libp2p::HostConfig host, const GossipOptions& options)
      : runtime_(runtime),
        host_(runtime, std::move(host)),
        identify_(host_),
        pubsub_(host_, pubsub_config(options)),
        is_signed_(options.signatures == "signed"),
        input_(runtime.executor(), ::dup(STDIN_FILENO)),
        scope_(runtime) {}

  Result<void> start(const std::string& listen) {
    OPP2P_TRY(const auto address, Multiaddr::from_text(listen));
    OPP2P_TRYV(host_.listen(address));
    print({{"addr", host_.listen_addresses().front().with_peer_id(host_.id()).text()}});
    read();
    return {};
  }
  bool is_over() const { return over_; }
  void end() { over_ = true; }

 private:
  struct Joined {
    libp2p::PubSubTopic topic;
    libp2p::Subscription messages;
  };

  void read() {
    asio::async_read_until(input_, line_, '\n', [this](const boost::system::error_code& error, std::size_t) {
      if (error) return end();
      std::istream in(&line_);
      std::string text;
      std::getline(in, text);
      run(text);
      if (!over_) read();
    });
  }

  void run(const std::string& text) {
    boost::system::error_code error;
    const json::value parsed = json::parse(text, error);
    const auto* command = error ? nullptr : parsed.if_object();
    if (command == nullptr || command->empty()) return print_result("unknown", libp2p::fail(Errc::malformed, text));
    if (command->contains("quit")) return end();
    if (command->contains("stats")) return print(stats());
    for (const auto& [name, action] : kCommands) {
      const auto* value = command->if_contains(name);
      if (value == nullptr) continue;
      const Result<bool> done = (this->*action)(std::string(value->as_string()), *command);
      if (!done) return print_result(name, done.error());
      if (*done) print_result(name, {});
      return;
    }
    print_result("unknown", libp2p::fail(Errc::invalid_argument, "no command in " + text.substr(0, 100)));
  }

  // Each answers whether it is done; who is not tells later.
  Result<bool> connect(const std::string& address, const json::object&) {
    OPP2P_TRY(auto to, Multiaddr::from_text(address));
    scope_.spawn(dial(host_, std::move(to)));
    return false;
  }
  static Task<void> dial(libp2p::Host& host, Multiaddr to) {
    const Result<PeerId> peer = co_await host.connect(std::move(to));
    print_result("connect", peer ? Result<void>() : Result<void>(peer.error()));
  }
  Result<bool> disconnect(const std::string& text, const json::object&) {
    OPP2P_TRY(const auto peer, PeerId::from_text(text));
    if (!host_.disconnect(peer, "a command says so")) return libp2p::fail(Errc::not_found, "not connected");
    return true;
  }
  Result<bool> join(const std::string& name, const json::object&) {
    OPP2P_TRY(auto topic, pubsub_.join(name));
    OPP2P_TRY(auto messages, topic.subscribe([this](const libp2p::PubSubMessage& message) {
      if (message.received_from != host_.id())
        print_message("message", message.topic, message.from, message.data.view());
    }));
    topics_.emplace(name, Joined{std::move(topic), std::move(messages)});
    return true;
  }
  Result<bool> leave(const std::string& name, const json::object&) {
    if (topics_.erase(name) == 0) return libp2p::fail(Errc::not_found, name + " is not joined");
    return true;
  }
  Result<bool> publish(const std::string& name, const json::object& command) {
    const auto found = topics_.find(name);
    if (found == topics_.end()) return libp2p::fail(Errc::not_found, name + " is not joined");
    libp2p::Bytes data(command.at("bytes").to_number<std::size_t>());
    runtime_.rng().fill(data);
    OPP2P_TRYV(found->second.topic.publish(data));
    print_message("published", name, is_signed_ ? host_.id() : PeerId(), data);
    return true;
  }

  json::object stats() {
    const auto& counters = pubsub_.service().router().counters();
    json::object topics;
    for (const auto& [name, joined] : topics_) topics[name] = joined.topic.peers().size();
    return {
        {"event", "stats"},
        {"topics", std::move(topics)},
        {"delivered", counters.delivered},
        {"duplicates", counters.duplicates},
        {"rejected",
         counters.rejected + counters.unexpected_author + counters.missing_signature + counters.invalid_signature},
        {"dropped", counters.dropped_outbox_forwarded + counters.dropped_outbox_own + counters.dropped_refused_often +
                        counters.dropped_naming_budget + counters.dropped_validation_full},
        {"idontwant_sent", counters.idontwant_sent},
        {"idontwant_received", counters.idontwant_received},
        {"suppressed", counters.suppressed_unwanted}};
  }

  using Action = Result<bool> (GossipPeer::*)(const std::string& value, const json::object& command);
  static constexpr std::pair<std::string_view, Action> kCommands[] = {{"connect", &GossipPeer::connect},
                                                                      {"disconnect", &GossipPeer::disconnect},
                                                                      {"join", &GossipPeer::join},
                                                                      {"leave", &GossipPeer::leave},
                                                                      {"publish", &GossipPeer::publish}};

  libp2p::runtime::AsioRuntime& runtime_;
  libp2p::Host host_;
  libp2p::IdentifyService identify_;
  libp2p::PubSub pubsub_;
  bool is_signed_;
  std::map<std::string, Joined> topics_;
  asio::posix::stream_descriptor input_;
  asio::streambuf line_{kMaxCommand};
  bool over_ = false;
  libp2p::runtime::TaskScope scope_;
};

}  // namespace

int run_gossip(libp2p::runtime::AsioRuntime& runtime, libp2p::HostConfig host, const GossipOptions& options) {
  GossipPeer peer(runtime, std::move(host), options);
  if (const auto started = peer.start(options.listen); !started) {
    std::fprintf(stderr, "libp2p_peer: %s\n", started.error().message().c_str());
    return 1;
  }
  asio::signal_set signals(runtime.executor(), SIGINT, SIGTERM);
  signals.async_wait([&peer](const boost::system::error_code& error, int) {
    if (!error) peer.end();
  });
  runtime.run_until([&peer] { return peer.is_over(); }, std::chrono::hours(24 * 365));
  return 0;
}

}  // namespace interop
