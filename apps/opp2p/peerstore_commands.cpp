// `opp2p peerstore`: imports the peerstore of an op-node, makes one for op-node, and shows what is on record, of a node
// that does not run.
#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>

#include "commands.hpp"
#include "input.hpp"
#include "libp2p/runtime/entropy.hpp"
#include "opp2p/config/config.hpp"
#include "opp2p/peerstore/peerstore_operations.hpp"
#include "peerstore_show.hpp"

namespace opp2p {
namespace {

namespace fs = std::filesystem;

struct PeerstoreOptions {
  std::string data_dir;
  std::optional<std::string> folder;
  std::optional<std::string> key_file;
  std::string directory;
  std::string peer;
  bool keep_key = false;
  bool json = false;
};

// As the node finds it (find_node_key), but none is made.
fs::path key_file_of(const PeerstoreOptions& options) {
  std::error_code error;
  if (options.key_file) return *options.key_file;
  const fs::path here(kNodeKeyFile);
  return fs::exists(here, error) ? fs::absolute(here, error) : fs::path(options.data_dir) / here;
}

libp2p::Result<PeerstorePlace> place_of(const PeerstoreOptions& options) {
  const auto folder = options.folder ? fs::path(*options.folder) : fs::path(options.data_dir) / kPeerstoreFolder;
  PeerstorePlace place{folder, key_file_of(options), {}};
  std::error_code error;
  if (!fs::exists(place.key_file, error)) return place;
  libp2p::runtime::SystemRng rng;
  OPP2P_TRY(const auto key, load_or_create_key(place.key_file.string(), rng));
  OPP2P_TRY(place.key, libp2p::crypto::PrivateKey::from_raw(libp2p::crypto::KeyType::secp256k1, key.secret));
  return place;
}

int print(Output& out, const std::vector<std::string>& lines) {
  for (const auto& line : lines) out.write(line + "\n");
  return 0;
}

int print(Output& out, const libp2p::Result<PeerstoreReport>& done) {
  return done ? print(out, done->lines) : report(done.error());
}

int show(Output& out, const PeerstoreOptions& options) {
  const auto place = place_of(options);
  if (!place) return report(place.error());
  const auto view = read_peerstore(*place);
  if (!view) return report(view.error());
  const libp2p::UnixTime now(
      std::chrono::duration_cast<libp2p::Nanos>(std::chrono::system_clock::now().time_since_epoch()));
  if (options.peer.empty()) {
    if (!options.json) return print(out, peerstore_lines(*view, place->folder.string(), now));
    print_line(out, peerstore_json(*view, now));
    return 0;
  }
  const auto id = libp2p::PeerId::from_text(options.peer);
  if (!id) return report(id.error().within("PEER"));
  const auto found = view->peers.find(*id);
  if (found == view->peers.end())
    return report(id->to_base58() + " is not in the peerstore in " + place->folder.string());
  if (!options.json) return print(out, peer_lines(*id, found->second, now));
  print_line(out, peer_json(*id, found->second, now));
  return 0;
}

}  // namespace

void add_peerstore_commands(CLI::App& app, Output& out, int& exit_code) {
  auto* peerstore = app.add_subcommand(
      "peerstore", "Move the peerstore between op-node and this node, or show it; the node must not run");
  peerstore->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& what,
                       const std::function<int(const PeerstoreOptions&)>& run) {
    auto* command = peerstore->add_subcommand(name, what);
    auto options = std::make_shared<PeerstoreOptions>();
    command->add_option("--data-dir", options->data_dir, "The node's --data-dir")->required();
    command->add_option_function<std::string>(
        "--p2p.peerstore.path", [options](const std::string& path) { options->folder = path; },
        "The node's peerstore. The default is the folder peerstore in the data folder");
    command->callback([options, run, &exit_code] { exit_code = run(*options); });
    return std::pair(command, options);
  };
  const auto add_key_file = [](CLI::App* command, const std::shared_ptr<PeerstoreOptions>& options) {
    command->add_option_function<std::string>(
        "--p2p.priv.path", [options](const std::string& path) { options->key_file = path; },
        "The node's key file. The default is opnode_p2p_priv.txt in the working folder or the data folder");
  };

  const auto [taking, taken] = add(
      "import",
      "Take over scores, bans, rules, addresses and the node's key from the peerstore of an op-node that is stopped",
      [&out](const PeerstoreOptions& options) {
        const auto place = place_of(options);
        return place ? print(out, import_peerstore(options.directory, *place, options.keep_key))
                     : report(place.error());
      });
  taking->add_option("DIR", taken->directory, "op-node's --p2p.peerstore.path")->required();
  taking->add_flag("--keep-key", taken->keep_key, "Import the records only, not the node's key");
  add_key_file(taking, taken);

  const auto [giving, given] =
      add("export", "Make a peerstore for op-node, with the node's key", [&out](const PeerstoreOptions& options) {
        const auto place = place_of(options);
        return place ? print(out, export_peerstore(options.directory, *place)) : report(place.error());
      });
  giving->add_option("DIR", given->directory, "The folder to make; it must not exist, or be empty")->required();
  add_key_file(giving, given);

  const auto [showing, shown] = add("show", "Print what is on record of all peers, or of one",
                                    [&out](const PeerstoreOptions& options) { return show(out, options); });
  showing->add_option("PEER", shown->peer, "The id of the peer");
  showing->add_flag("--json", shown->json, "Print one JSON object");
}

}  // namespace opp2p
