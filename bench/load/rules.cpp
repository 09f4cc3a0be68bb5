// The block rules alone, on one thread, with the same bytes that op-node's validator gets.
#include <malloc.h>

#include <fstream>

#include "lib/made_chain.hpp"
#include "load.hpp"
#include "opstack/rules/block_message.hpp"
#include "opstack/rules/block_rules.hpp"

namespace bench {

namespace gossip_rules = opstack::rules;

int rules(const Arguments& arguments) {
  MadeChain made(arguments.number("genesis", 0), arguments.number("size", 1000));
  const auto version = opstack::testing::version_of(made.chain.options().fork);
  const auto envelope = made.chain.next();
  const auto message = gossip_rules::make_block_message(made.chain.options().chain_id, version, envelope, made.signer);
  if (!message) give_up(message.error().message());
  std::ofstream file(arguments.at(0), std::ios::binary);
  file.write(reinterpret_cast<const char*>(message->data->data()), static_cast<std::streamsize>(message->data->size()));
  file.close();
  if (!file) give_up("cannot write " + arguments.at(0));

  gossip_rules::BlockRulesConfig config;
  config.chain_id = made.chain.options().chain_id;
  config.version = version;
  gossip_rules::BlockRules block_rules(config);
  gossip_rules::SignerState signers;
  const auto wall = libp2p::from_unix_seconds(static_cast<std::int64_t>(envelope.payload.timestamp));
  signers.rotate(libp2p::crypto::secp256k1::address_of(made.signer), wall);
  // What is freed stays with the process, as it does in one whose heap does not end free after every block: handing it
  // back and asking for it again would be a third of the time at 1 MB. A node at work never comes to that; Go's
  // collector does not do it.
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  const auto judge = [&] { return block_rules.judge(*message->data, signers, wall); };
  if (const auto first = judge(); first.verdict != gossip_rules::Verdict::accept)
    give_up("not accepted: " + first.text());
  libp2p::runtime::AsioRuntime clock(1);
  const auto limit = libp2p::Seconds(static_cast<std::int64_t>(arguments.number("seconds", 2)));
  const auto start = clock.now().mono;
  std::uint64_t count = 0;
  do {
    judge();  // known from now on, which is found out last
    ++count;
  } while (clock.now().mono - start < limit);
  print({{"us", seconds(clock.now().mono - start) * 1e6 / static_cast<double>(count)}, {"count", count}});
  return 0;
}

}  // namespace bench
