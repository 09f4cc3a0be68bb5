// gossip_traces FOLDER: a small GossipSub network on a virtual clock, and what happens to one of its nodes as traces:
// trace.pb and trace.jsonl hold the same events, all kinds of them; lossy.pb is written with little room, so that it
// tells of events that are missing. One line of JSON says how many there were (tests/interop/test_gossip_trace.py).
#include <boost/json.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "libp2p/services/gossipsub/pubsub.hpp"
#include "libp2p/services/gossipsub/trace_file.hpp"
#include "libp2p/testing/sim_hosts.hpp"

namespace interop {
namespace {

using libp2p::GossipTraceFile;
using libp2p::GossipTraceFileConfig;
using libp2p::PubSub;
using libp2p::PubSubConfig;
using libp2p::PubSubMessage;
using libp2p::PubSubTopic;
using libp2p::Seconds;
using libp2p::gossipsub::TraceFormat;
using libp2p::gossipsub::ValidationResult;

const std::string kSigned = "chat";
const std::string kUnsigned = "plain";
// Topics of strangers are any bytes.
const std::string kStrange = "caf\xc3\xa9 \"<&>\\\n\x01\xff\xe2\x80\xa8";

// Gives each event to several files.
class Tee final : public libp2p::gossipsub::EventTracer {
 public:
  explicit Tee(std::vector<std::shared_ptr<GossipTraceFile>> files) : files_(std::move(files)) {}
  void on_event(libp2p::gossipsub::TraceEvent event) override {
    ++events_;
    for (const auto& file : files_) file->on_event(event);
  }
  std::uint64_t events() const { return events_; }

 private:
  std::vector<std::shared_ptr<GossipTraceFile>> files_;
  std::uint64_t events_ = 0;
};

std::shared_ptr<GossipTraceFile> open(const std::string& path, TraceFormat format, std::size_t max_bytes) {
  GossipTraceFileConfig config;
  config.path = path;
  config.format = format;
  config.max_bytes = max_bytes;
  return GossipTraceFile::open(config).value();
}

PubSubConfig config_of_others() {
  PubSubConfig config;
  config.gossipsub.router.policies.topics[kUnsigned] = libp2p::gossipsub::SignaturePolicy::strict_no_sign;
  return config;
}

// Few places in the mesh and in the outbox: there is gossip, and there are drops.
PubSubConfig config_of_traced(std::shared_ptr<Tee> tee) {
  PubSubConfig config = config_of_others();
  config.gossipsub.tracer = std::move(tee);
  auto& params = config.gossipsub.router.params;
  params.mesh.degree = 2;
  params.mesh.low = 2;
  params.mesh.high = 3;
  params.mesh.keep_by_score = 1;
  params.mesh.outbound = 0;
  params.mesh.peer_exchange = true;
  params.outbox.max_items = 4;
  return config;
}

struct Member {
  Member(libp2p::Host& host, const PubSubConfig& config) : pubsub(host, config) {
    for (const std::string& name : {kSigned, kUnsigned}) topics.push_back(pubsub.join(name).value());
  }
  void publish(std::size_t topic, const std::string& text) { topics[topic].publish(text).value(); }

  PubSub pubsub;
  std::vector<PubSubTopic> topics;
};

void run(const std::shared_ptr<Tee>& tee) {
  libp2p::SimHosts net(16);
  Member traced(net.add(), config_of_traced(tee));
  std::vector<std::unique_ptr<Member>> others;
  for (int i = 0; i < 5; ++i) others.push_back(std::make_unique<Member>(net.add(), config_of_others()));
  const auto judge = [](const PubSubMessage& message) {
    return message.data.view().size() == 3 ? ValidationResult::reject : ValidationResult::accept;
  };
  traced.topics[0].set_validator(PubSubTopic::Validator(judge)).value();
  for (std::size_t a = 0; a < net.size(); ++a) {
    for (std::size_t b = a + 1; b < net.size(); ++b) net.connect(a, b);
  }
  auto strange = others[0]->pubsub.join(kStrange).value();
  net.run_for(Seconds(3));
  for (std::size_t i = 0; i < others.size(); ++i) {
    others[i]->publish(0, "hello of " + std::to_string(i));
    others[i]->publish(1, "the same of all");
    net.run_for(Seconds(1));
  }
  for (const auto& other : others) other->publish(1, "at once of all");  // so there are copies
  others[1]->publish(0, "bad");
  others[2]->publish(1, std::string(4000, 'x'));  // IDONTWANT is for large ones
  for (int i = 0; i < 50; ++i) traced.publish(0, "one of fifty: " + std::to_string(i));
  net.run_for(Seconds(3));
  traced.topics[1].leave();
  net.run_for(Seconds(2));
  net.disconnect(0, 1);
  net.run_for(Seconds(2));
}

int write_traces(const std::string& folder) {
  constexpr std::size_t kLittle = 1200, kEnough = 256U << 20;
  const auto protobuf = open(folder + "/trace.pb", TraceFormat::protobuf, kEnough);
  const auto json = open(folder + "/trace.jsonl", TraceFormat::json_lines, kEnough);
  const auto lossy = open(folder + "/lossy.pb", TraceFormat::protobuf, kLittle);
  const auto tee = std::make_shared<Tee>(std::vector{protobuf, json, lossy});
  run(tee);
  for (const auto& file : {protobuf, json, lossy}) {
    if (!file->flush(Seconds(60))) return 1;
  }
  boost::json::object line;
  line["events"] = tee->events();
  line["written"] = protobuf->counts().written;
  line["lossy_written"] = lossy->counts().written;
  line["lossy_no_room"] = lossy->counts().no_room;
  std::printf("%s\n", boost::json::serialize(line).c_str());
  return 0;
}

}  // namespace
}  // namespace interop

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: gossip_traces FOLDER\n");
    return 2;
  }
  return interop::write_traces(argv[1]);
}
