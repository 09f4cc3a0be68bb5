// `opp2p db`: checks, migrates, rewinds and reads the block store of a node that does not run.
#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include "commands.hpp"
#include "input.hpp"
#include "opp2p/config/config.hpp"
#include "opp2p/store/store_operations.hpp"

namespace opp2p {
namespace {

struct DbOptions {
  std::string data_dir;
  std::string max_size;
  std::string to;
  std::optional<std::string> deny;
  std::string hash;
};

// As the node names it (daemon.cpp).
std::filesystem::path store_in(const DbOptions& options) { return std::filesystem::path(options.data_dir) / "blocks"; }

int print(opp2p::Output& out, const libp2p::Result<StoreReport>& report) {
  if (!report) return opp2p::report(report.error());
  for (const auto& line : report->lines) out.write(line + "\n");
  return report->is_sound ? 0 : 1;
}

int migrate(opp2p::Output& out, const DbOptions& options) {
  std::uint64_t max_size = 0;
  if (!options.max_size.empty()) {
    const auto parsed = parse_byte_count(options.max_size);
    if (!parsed) return opp2p::report(parsed.error().within("--store.max-size"));
    if (*parsed < kLeastStore) return opp2p::report("--store.max-size must be at least 16MiB");
    max_size = *parsed;
  }
  return print(out, migrate_store(store_in(options), max_size, [&out](const MigrationProgress& progress) {
                 out.write(std::to_string(progress.done) + " of " + std::to_string(progress.total) + " blocks\n");
               }));
}

std::optional<Hash> read_hash_option(const std::string& text) {
  const auto bytes = libp2p::from_hex(text);
  if (!bytes || bytes->size() != std::tuple_size_v<Hash>) return std::nullopt;
  Hash out{};
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

int report_no_hash(const std::string& option) {
  return opp2p::report(option + ": a block's hash has 32 bytes, as 64 hexadecimal digits");
}

std::optional<std::uint64_t> read_number_option(const std::string& text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

int rewind(opp2p::Output& out, const DbOptions& options) {
  const auto to = read_number_option(options.to);
  if (!to)
    return opp2p::report("--to: '" + options.to + "' is no block number: give a whole number from 0 to " +
                         std::to_string(UINT64_MAX));
  std::optional<Hash> deny;
  if (options.deny) {
    deny = read_hash_option(*options.deny);
    if (!deny) return report_no_hash("--deny");
  }
  return print(out, rewind_store(store_in(options), *to, deny));
}

int allow(opp2p::Output& out, const DbOptions& options) {
  const auto hash = read_hash_option(options.hash);
  return hash ? print(out, allow_block(store_in(options), *hash)) : report_no_hash("--hash");
}

int show(opp2p::Output& out, const DbOptions& options) {
  const auto hash = read_hash_option(options.hash);
  return hash ? print(out, show_block(store_in(options), *hash)) : report_no_hash("HASH");
}

}  // namespace

void add_db_commands(CLI::App& app, opp2p::Output& out, int& exit_code) {
  auto* db = app.add_subcommand("db", "Check, migrate, rewind or read the block store of a node that does not run");
  db->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& what,
                       const std::function<int(const DbOptions&)>& run) {
    auto* command = db->add_subcommand(name, what);
    auto options = std::make_shared<DbOptions>();
    command->add_option("--data-dir", options->data_dir, "The node's --data-dir")->required();
    command->callback([options, run, &exit_code] { exit_code = run(*options); });
    return std::pair(command, options);
  };

  add("check", "Read everything and print each defect; the exit code is 1 if there is one",
      [&out](const DbOptions& options) { return print(out, check_store(store_in(options))); });

  const auto [to_present, migrated] =
      add("migrate", "Write a store of an earlier version anew, as the node does when it starts",
          [&out](const DbOptions& options) { return migrate(out, options); });
  to_present->add_option("--store.max-size", migrated->max_size, "Leave out the lowest blocks beyond this size");

  const auto [back, rewound] = add(
      "rewind", "Make an earlier block the head, until signed blocks above it arrive again or, with --deny, for good",
      [&out](const DbOptions& options) { return rewind(out, options); });
  back->add_option("--to", rewound->to, "Number of the block that becomes the head")->required();
  // Not as an optional value: an empty one would pass for none.
  back->add_option_function<std::string>(
      "--deny", [options = rewound](const std::string& text) { options->deny = text; },
      "Hash of a block that the node takes no more, nor what descends from it");

  add("denied", "List the blocks that rewind --deny has denied",
      [&out](const DbOptions& options) { return print(out, list_denied(store_in(options))); });

  const auto [lifting, lifted] =
      add("allow", "Take back a denial", [&out](const DbOptions& options) { return allow(out, options); });
  lifting->add_option("--hash", lifted->hash, "Hash of the denied block")->required();

  const auto [showing, shown] =
      add("show", "Print what is known of a block: number, parent, whether it is canonical and why not, who signed it",
          [&out](const DbOptions& options) { return show(out, options); });
  showing->add_option("HASH", shown->hash, "Hash of the block")->required();
}

}  // namespace opp2p
