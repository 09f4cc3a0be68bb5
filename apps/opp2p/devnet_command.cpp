// `opp2p devnet`, and the subcommand of the intruder process that it starts.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <memory>

#include "apps/devnet/devnet.hpp"
#include "apps/devnet/intruder.hpp"
#include "apps/devnet/replay.hpp"
#include "commands.hpp"
#include "input.hpp"
#include "opp2p/config/config.hpp"

namespace opp2p {
namespace {

using opp2p::devnet::DevnetOptions;

const std::vector<std::string> kForks = {"bedrock", "canyon", "ecotone", "isthmus", "jovian"};

struct IntruderArguments {
  std::string rollup_config;
  std::string fork = "isthmus";
  std::string signer_key;
  std::string peers;
  std::string data_dir;
};

libp2p::Result<opp2p::devnet::IntruderOptions> resolve(const IntruderArguments& arguments) {
  opp2p::devnet::IntruderOptions out;
  OPP2P_TRY(const auto text, read_input(arguments.rollup_config, false));
  OPP2P_TRY(const auto rollup, opstack::chain::RollupConfig::from_text(libp2p::as_text(text)));
  out.chain.chain_id = rollup.l2_chain_id;
  out.chain.genesis_time = rollup.genesis.l2_time;
  out.chain.block_time = rollup.block_time;
  out.chain.fork = opstack::testing::block_fork_from_string(arguments.fork).value();
  out.data_dir = arguments.data_dir;
  OPP2P_TRY(out.signer, opp2p::parse_key(arguments.signer_key));
  OPP2P_TRY(out.peers, opp2p::parse_peers(arguments.peers));
  return out;
}

int run_devnet(opp2p::Output& out, const DevnetOptions& options, const std::string& replay) {
  const auto done =
      replay.empty() ? opp2p::devnet::run_devnet(options, out) : opp2p::devnet::run_replay(replay, options, out);
  return done ? *done : report(done.error());
}

int run_intruder(const IntruderArguments& arguments) {
  const auto options = resolve(arguments);
  if (!options) return report(options.error());
  const auto done = opp2p::devnet::run_intruder(*options);
  return done ? 0 : report(done.error());
}

// At the end of the help.
std::string about_stories() {
  std::string out = "Stories:\n";
  for (const auto& [name, about] : opp2p::devnet::story_names()) out += fmt::format("  {:<12}{}\n", name, about);
  return out;
}

std::vector<std::string> story_words() {
  std::vector<std::string> out;
  for (const auto& story : opp2p::devnet::story_names()) out.emplace_back(story.name);
  return out;
}

void add_intruder(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("devnet-intruder", "The peer of the devnet that publishes bad blocks")->group("");
  auto arguments = std::make_shared<IntruderArguments>();
  command->add_option("--rollup.config", arguments->rollup_config)->required();
  command->add_option("--fork", arguments->fork, "Fork that sets the blocks' format")->check(CLI::IsMember(kForks));
  command->add_option("--signer.key", arguments->signer_key)->required();
  command->add_option("--peers", arguments->peers)->required();
  command->add_option("--data-dir", arguments->data_dir)->required();
  command->callback([arguments, &exit_code] { exit_code = run_intruder(*arguments); });
}

}  // namespace

void add_devnet_commands(CLI::App& app, opp2p::Output& out, int& exit_code) {
  auto* command = app.add_subcommand("devnet",
                                     "Run a local chain of processes: a sequencer that fails over, followers, a late "
                                     "joiner and an intruder. Show a table and a summary");
  auto options = std::make_shared<DevnetOptions>();
  auto replay = std::make_shared<std::string>();
  command->add_option("--block-time", options->block_time, "Seconds between blocks")
      ->check(CLI::Range(1, 60))
      ->capture_default_str();
  auto fork = std::make_shared<std::string>("isthmus");
  command->add_option("--fork", *fork, "Fork that sets the blocks' format")
      ->check(CLI::IsMember(kForks))
      ->capture_default_str();
  command->add_option("--block-size", options->block_size, "Approximate bytes of transactions in a block")
      ->check(CLI::Range(0, 2'000'000))
      ->capture_default_str();
  command->add_option("--nodes", options->followers, "Number of followers")
      ->check(CLI::Range(1, 50))
      ->capture_default_str();
  auto* length =
      command->add_option("--for", options->for_seconds, "Seconds until the sequencer stops and a summary is printed")
          ->check(CLI::Range(1, 1'000'000));
  auto* story = command
                    ->add_option("--story", options->story,
                                 "What happens instead of the default run; it ends by itself and is judged")
                    ->check(CLI::IsMember(story_words()))
                    ->excludes(length);
  command->add_flag("--json", options->json, "Print JSON lines; the last is the summary, with \"ok\"");
  command->add_option("--data-dir", options->data_dir, "Folder for the nodes' data (default: a temporary folder)");
  command->add_flag("--keep", options->keep, "Keep the data at the end");
  command->add_option("--join", options->join, "Other peers that every node dials: multiaddrs with /p2p/ID");
  command
      ->add_option("--p2p.scoring", options->scoring,
                   "Scores of peers, as --p2p.scoring of opp2p node. Under light the intruder is never banned")
      ->check(CLI::IsMember({"none", "light", "opp2p"}))
      ->capture_default_str();
  command->add_flag("!--no-bans", options->bans, "The nodes ban nobody");
  command->add_option("--log.level", options->log_level, "Log level of the nodes; their logs are in the data folder")
      ->capture_default_str();
  command
      ->add_option("--replay", *replay, "Folder of recorded blocks (JSON files of payloads) to use instead of new ones")
      ->excludes(story);
  command->callback([options, fork, replay, &out, &exit_code] {
    options->fork = opstack::testing::block_fork_from_string(*fork).value();
    exit_code = run_devnet(out, *options, *replay);
  });
  command->footer(about_stories());
  add_intruder(app, exit_code);
}

}  // namespace opp2p
