// `opp2p inspect`: flags, files and printing around inspect.cpp.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include "commands.hpp"
#include "input.hpp"
#include "inspect.hpp"
#include "opstack/rules/topics.hpp"

namespace opp2p {
namespace {

using libp2p::Errc;
using libp2p::Error;
using libp2p::Result;
using opstack::payload::Version;

struct GossipOptions {
  std::string chain_id;
  std::string topic;
  std::string signer;
  std::string previous_signer;
  std::optional<std::int64_t> now;
  std::optional<std::uint64_t> jovian_time;
  std::int64_t max_age = 60;
  bool hex = false;
  std::vector<std::string> files;
};

libp2p::UnixTime wall_clock() {
  return libp2p::UnixTime(
      std::chrono::duration_cast<libp2p::Nanos>(std::chrono::system_clock::now().time_since_epoch()));
}

Result<std::unique_ptr<inspect::GossipInspector>> make_inspector(const GossipOptions& options) {
  const auto now = options.now ? libp2p::from_unix_seconds(*options.now) : wall_clock();
  opstack::rules::BlockRulesConfig config;
  OPP2P_TRY(config.chain_id, opstack::chain::ChainId::from_decimal(options.chain_id));
  const auto topic = opstack::rules::parse_blocks_topic(options.topic);
  if (!topic)
    return Error(Errc::malformed, "'" + options.topic + "' is not a block topic; write /optimism/" + options.chain_id +
                                      "/0/blocks to /optimism/" + options.chain_id + "/3/blocks");
  if (topic->chain_id != config.chain_id)
    return Error(Errc::mismatch, "the topic " + options.topic + " does not belong to chain " + options.chain_id);
  config.version = topic->version;
  config.jovian_time = options.jovian_time;
  config.max_age = libp2p::Seconds(options.max_age);
  opstack::rules::SignerState signers;
  OPP2P_TRY(signers.current, read_address(options.signer));
  if (!options.previous_signer.empty()) {
    OPP2P_TRY(signers.previous, read_address(options.previous_signer));
    signers.previous_until = now + opstack::rules::kSignerGracePeriod;
  }
  return std::make_unique<inspect::GossipInspector>(options.topic, std::move(config), std::move(signers), now);
}

int run_gossip(opp2p::Output& out, const GossipOptions& options) {
  auto inspector = make_inspector(options);
  if (!inspector) return report(inspector.error());
  int exit_code = 0;
  for (const auto& file : options.files) {
    if (out.failed()) break;
    const auto message = read_input(file, options.hex);
    if (message)
      print_line(out, (*inspector)->line(*message));
    else
      exit_code = report(message.error());
  }
  return exit_code;
}

int print(opp2p::Output& out, const Result<boost::json::object>& result, const std::string& what) {
  if (!result) return report(result.error().within(what));
  print_line(out, *result);
  return 0;
}

void add_gossip(CLI::App& inspect, opp2p::Output& out, int& exit_code) {
  auto* command = inspect.add_subcommand(
      "gossip", "Print the verdict on each gossip message, with its reason, as one JSON line per file");
  auto options = std::make_shared<GossipOptions>();
  command->add_option("--chain-id", options->chain_id, "L2 chain id, decimal")->required();
  command->add_option("--topic", options->topic, "Topic of the messages, for example /optimism/10/3/blocks")
      ->required();
  command
      ->add_option("--signer", options->signer,
                   "Address of the unsafe block signer; zero means that none is configured")
      ->required();
  command->add_option("--previous-signer", options->previous_signer,
                      "Address of the previous signer, while its blocks are still accepted");
  // Nanoseconds since 1970 end in 2262.
  command->add_option("--now", options->now, "Time of the validation, in seconds since 1970 (default: now)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{9'000'000'000}));
  // A negative number would be read as a large one.
  command->add_option("--jovian-time", options->jovian_time, "Unix time at which Jovian activates (default: never)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--payload-max-age", options->max_age, "Age of the oldest accepted block, in seconds")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str();
  command->add_flag("--hex", options->hex, "The files hold hexadecimal text");
  command->add_option("FILE", options->files, "Contents of the data field of a pubsub message; - is standard input")
      ->required();
  command->callback([options, &out, &exit_code] { exit_code = run_gossip(out, *options); });
}

void add_payload(CLI::App& inspect, opp2p::Output& out, int& exit_code) {
  struct Options {
    int version = 0;
    std::string file;
    bool hex = false;
  };
  auto* command = inspect.add_subcommand("payload", "Print the SSZ of a payload or envelope as Engine API JSON");
  auto options = std::make_shared<Options>();
  command->add_option("--version", options->version, "1 Bedrock, 2 Canyon, 3 Ecotone, 4 Isthmus")
      ->required()
      ->check(CLI::Range(1, 4));
  command->add_flag("--hex", options->hex, "The file holds hexadecimal text");
  command->add_option("FILE", options->file, "- is standard input")->required();
  command->callback([options, &out, &exit_code] {
    const auto body = read_input(options->file, options->hex);
    exit_code = body ? print(out, inspect::payload(static_cast<Version>(options->version), *body), options->file)
                     : report(body.error());
  });
}

void add_response(CLI::App& inspect, opp2p::Output& out, int& exit_code) {
  struct Options {
    int version = 0;
    std::string file;
    bool hex = false;
  };
  auto* command = inspect.add_subcommand("response", "Print an answer of payload_by_number");
  auto options = std::make_shared<Options>();
  command->add_option("--version", options->version, "The payload's version (default: read from its layout)")
      ->check(CLI::Range(1, 4));
  command->add_flag("--hex", options->hex, "The file holds hexadecimal text");
  command->add_option("FILE", options->file, "- is standard input")->required();
  command->callback([options, &out, &exit_code] {
    const auto stream = read_input(options->file, options->hex);
    const auto version = options->version == 0 ? std::nullopt : std::optional(static_cast<Version>(options->version));
    exit_code = stream ? print(out, inspect::response(*stream, version), options->file) : report(stream.error());
  });
}

// A subcommand that takes texts on the command line and shows each; it stops at the first that is wrong.
template <class Function>
void add_text_command(CLI::App& inspect, opp2p::Output& out, int& exit_code, const std::string& name,
                      const std::string& about, const std::string& what, Function show) {
  auto* command = inspect.add_subcommand(name, about);
  auto texts = std::make_shared<std::vector<std::string>>();
  command->add_option(what, *texts)->required();
  command->callback([texts, show, &out, &exit_code] {
    for (const auto& text : *texts)
      if ((exit_code = print(out, show(text), text)) != 0) return;
  });
}

void add_key(CLI::App& inspect, opp2p::Output& out, int& exit_code) {
  struct Options {
    std::string form = "public";
    std::string hex;
  };
  auto* command = inspect.add_subcommand("key", "Print the type, the public key and the peer id of a libp2p key");
  auto options = std::make_shared<Options>();
  command
      ->add_option(
          "--form", options->form,
          "public: PublicKey protobuf; private: PrivateKey protobuf; secp256k1: 32-byte secret; ed25519: 32-byte seed")
      ->check(CLI::IsMember({"public", "private", "secp256k1", "ed25519"}))
      ->capture_default_str();
  command->add_option("HEX", options->hex, "The key as hexadecimal text")->required();
  command->callback([options, &out, &exit_code] {
    const auto form = options->form == "public"      ? inspect::KeyForm::public_protobuf
                      : options->form == "private"   ? inspect::KeyForm::private_protobuf
                      : options->form == "secp256k1" ? inspect::KeyForm::secp256k1_secret
                                                     : inspect::KeyForm::ed25519_seed;
    exit_code = print(out, inspect::key(form, options->hex), "key");
  });
}

void add_message_id(CLI::App& inspect, opp2p::Output& out, int& exit_code) {
  struct Options {
    std::string topic;
    std::vector<std::string> files;
    bool hex = false;
  };
  auto* command = inspect.add_subcommand("message-id", "Print the ids of gossip messages");
  auto options = std::make_shared<Options>();
  command->add_option("--topic", options->topic, "Topic of the messages")->required();
  command->add_flag("--hex", options->hex, "The files hold hexadecimal text");
  command->add_option("FILE", options->files, "- is standard input")->required();
  command->callback([options, &out, &exit_code] {
    for (const auto& file : options->files) {
      if (out.failed()) break;
      const auto message = read_input(file, options->hex);
      if (message)
        print_line(out, inspect::message_id(options->topic, *message));
      else
        exit_code = report(message.error());
    }
  });
}

}  // namespace

void add_inspect_commands(CLI::App& app, opp2p::Output& out, int& exit_code) {
  auto* inspect =
      app.add_subcommand("inspect", "Decode and explain messages, payloads, answers, ids, addresses and keys");
  inspect->require_subcommand(1);
  add_gossip(*inspect, out, exit_code);
  add_payload(*inspect, out, exit_code);
  add_response(*inspect, out, exit_code);
  add_text_command(*inspect, out, exit_code, "peer-id", "Print a peer id in all its forms", "ID", inspect::peer_id);
  add_text_command(*inspect, out, exit_code, "multiaddr", "Print a multiaddr and its parts", "ADDR",
                   inspect::multiaddr);
  add_key(*inspect, out, exit_code);
  add_message_id(*inspect, out, exit_code);
}

}  // namespace opp2p
