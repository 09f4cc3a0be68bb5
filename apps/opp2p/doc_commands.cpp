// `opp2p doc`: references that the program makes of its own tables, as `op-node doc` does.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.hpp"
#include "input.hpp"
#include "opp2p/metrics/metric_table.hpp"

namespace opp2p {

void add_doc_commands(CLI::App& app, opp2p::Output& out, int& exit_code) {
  auto* doc = app.add_subcommand("doc", "Print references that are made of the program's own tables");
  doc->require_subcommand(1);
  auto* metrics = doc->add_subcommand("metrics", "List the metrics of opp2p node");
  const auto format = std::make_shared<std::string>("markdown");
  metrics->add_option("--format", *format, "markdown or json")->capture_default_str();
  metrics->callback([format, &out, &exit_code] {
    if (*format == "markdown")
      out.write(metrics_markdown());
    else if (*format == "json")
      out.write(metrics_json());
    else
      exit_code = report("--format: '" + *format + "' is no format; write markdown or json");
  });
}

}  // namespace opp2p
