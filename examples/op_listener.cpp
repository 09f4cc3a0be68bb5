// Joins the block topics of an OP Stack chain, validates every message as a node does, and prints the accepted blocks.
// Usage: op_listener CHAIN_ID SIGNER PEER, for example op_listener 10 0xAAAA45d9549EDA09E70937013520214382Ffc4A2
// /dns4/…/tcp/9222/p2p/16Uiu2…
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <variant>

#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "opstack/gossip/block_gossip.hpp"

using namespace libp2p;
namespace gossip = opstack::gossip;

int fail(const std::string& text) {
  std::fprintf(stderr, "op_listener: %s\n", text.c_str());
  return 1;
}

// Tells why a block was not accepted; accepted ones are printed below.
void print_refusal(const gossip::BlockGossipEvent& event) {
  const auto* verdict = std::get_if<gossip::BlockVerdict>(&event);
  if (verdict == nullptr || verdict->outcome.verdict == opstack::rules::Verdict::accept) return;
  std::fprintf(stderr, "refused: %s (from %s)\n", verdict->outcome.text().c_str(), verdict->from.to_base58().c_str());
}

runtime::Task<void> connect(Host& host, Multiaddr address, std::string& trouble) {
  const auto peer = co_await host.connect(std::move(address));
  if (!peer) trouble = peer.error().message();
}

int main(int argc, char** argv) {
  if (argc != 4) return fail("usage: op_listener CHAIN_ID SIGNER PEER");
  const auto chain_id = opstack::chain::ChainId::from_decimal(argv[1]);
  const auto signer = from_hex(argv[2]);
  const auto peer = Multiaddr::from_text(argv[3]);
  if (!chain_id) return fail("the chain id: " + chain_id.error().message());
  if (!signer || signer->size() != 20) return fail("the signer is no address of 20 bytes in hex");
  if (!peer) return fail("the peer: " + peer.error().message());

  runtime::AsioRuntime rt;
  auto key = crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rt.rng()).value();
  Host host(rt, HostConfig(std::move(key)));
  libp2p::IdentifyService identify(host);
  gossipsub::NeutralScores scores;
  libp2p::GossipsubService pubsub(host, gossip::block_gossip_config(*chain_id, gossipsub::Params()), scores);
  gossip::BlockGossipConfig config;
  config.chain_id = *chain_id;
  const auto print_block = [](const gossip::AcceptedBlock& accepted) {
    const auto& block = accepted.block;
    std::printf("block %" PRIu64 " %s, %zu transactions\n", block.number(), to_hex0x(block.hash()).c_str(),
                block.payload().transactions.size());
    std::fflush(stdout);
  };
  gossip::BlockGossip blocks(rt, pubsub, std::move(config), print_block);
  const auto refusals = blocks.subscribe(print_refusal);
  opstack::rules::Address address;
  std::copy(signer->begin(), signer->end(), address.begin());
  blocks.rotate_signer(address);
  if (const auto joined = blocks.join(); !joined) return fail(joined.error().message());

  std::string trouble;
  if (!runtime::run_task(rt, rt, connect(host, *peer, trouble), Seconds(30))) return fail("no connection within 30 s");
  if (!trouble.empty()) return fail(trouble);
  rt.run();
}
