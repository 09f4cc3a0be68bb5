// churn_peers ADDRESS GENESIS_TIME PLACES FORGERS STAY_MS SIGNER_KEY: peers of a MadeChain's network that come to the
// node at ADDRESS and go (sim/visitor.hpp). Each of PLACES is taken by one peer after another: it joins the gossip of
// blocks, stays for up to twice STAY_MS, goes in order or without a word, and its successor comes a little later. Every
// other one returns with the same identity. In FORGERS of the places the peers publish a bad block each 50 ms until
// they are thrown out.
//
// Prints a line of JSON each second with counts since the start, and ends with its standard input: everybody goes.
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "lib/made_chain.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "sim/visitor.hpp"

namespace {

using libp2p::runtime::AsioRuntime;
using libp2p::runtime::sleep_for;
using libp2p::runtime::Task;
using opp2p::sim::VisitCounts;
using opp2p::sim::VisitorOptions;
using opp2p::sim::VisitorPlace;

constexpr auto kMostPause = libp2p::Seconds(2);

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "churn_peers: %s\n", why.c_str());
  std::exit(1);
}

class Churn {
 public:
  Churn(AsioRuntime& runtime, const VisitorOptions& options)
      : runtime_(runtime), honest_(options), forging_(options), scope_(runtime) {
    forging_.forges = true;
  }

  void take_place(bool forges) {
    places_.push_back(std::make_unique<VisitorPlace>(runtime_, forges ? forging_ : honest_, counts_));
    places_.back()->begin();
  }
  void tell_each_second() { scope_.spawn(tell()); }
  Task<void> close() {
    for (auto& place : places_) co_await place->close();
    co_await scope_.close();
  }

 private:
  Task<void> tell() {
    for (;;) {
      const auto slept = co_await sleep_for(runtime_, libp2p::Seconds(1));
      if (!slept) co_return;
      const boost::json::object line{{"connected", counts_.connected}, {"came", counts_.came},
                                     {"failed", counts_.failed},       {"thrown_out", counts_.thrown_out},
                                     {"forgers_out", counts_.forgers}, {"forged", counts_.forged}};
      std::printf("%s\n", boost::json::serialize(line).c_str());
      std::fflush(stdout);
    }
  }

  AsioRuntime& runtime_;
  const VisitorOptions honest_;
  VisitorOptions forging_;
  VisitCounts counts_;
  std::vector<std::unique_ptr<VisitorPlace>> places_;
  libp2p::runtime::TaskScope scope_;  // last: its coroutines use the members above
};

Task<void> close_and_stop(Churn& churn, AsioRuntime& runtime) {
  co_await churn.close();
  runtime.stop();
}

VisitorOptions read_options(char** words) {
  VisitorOptions out;
  auto address = libp2p::Multiaddr::from_text(words[1]);
  if (!address) give_up(address.error().message());
  out.nodes.push_back(std::move(*address));
  out.chain = MadeChain::options_of(std::strtoull(words[2], nullptr, 10), 1000);
  out.stay = libp2p::Millis(std::strtol(words[5], nullptr, 10));
  out.pause = kMostPause;
  const auto key = libp2p::from_hex(words[6]);
  if (!key || key->size() != out.signer.size() || out.stay <= libp2p::Nanos(0))
    give_up("a wrong signer key, or no time to stay");
  std::copy(key->begin(), key->end(), out.signer.begin());
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) give_up("usage: churn_peers ADDRESS GENESIS_TIME PLACES FORGERS STAY_MS SIGNER_KEY");
  AsioRuntime runtime(1);
  Churn churn(runtime, read_options(argv));
  const auto places = std::strtoull(argv[3], nullptr, 10);
  const auto forgers = std::strtoull(argv[4], nullptr, 10);
  for (std::uint64_t i = 0; i < places; ++i) churn.take_place(i < forgers);
  churn.tell_each_second();
  libp2p::runtime::TaskScope closing(runtime);
  runtime.run_on_worker(
      [] {
        char byte = 0;
        while (::read(STDIN_FILENO, &byte, 1) > 0) {
        }
      },
      [&] { closing.spawn(close_and_stop(churn, runtime)); });
  runtime.run();
  return 0;
}
