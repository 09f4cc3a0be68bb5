// `opp2p sim`: simulated networks under attack.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "input.hpp"
#include "libp2p/base/seconds.hpp"
#include "opp2p/base/end_signals.hpp"
#include "opp2p/base/large_pages.hpp"
#include "sim/attacks/run.hpp"
#include "sim/churn/churn.hpp"
#include "sim/honest/story.hpp"
#include "version.hpp"

namespace opp2p {
namespace {

namespace attacks = opp2p::sim::attacks;
namespace churn = opp2p::sim::churn;
namespace honest = opp2p::sim::honest;
using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;

struct RunArguments {
  std::string name;
  std::uint64_t seed = 1;
  std::uint64_t nodes = 1000;
  double minutes = 3;
  bool nodes_given = false;
  bool minutes_given = false;
  std::vector<std::string> assignments;
  std::string out;
  bool json = false;
};

// One line on a terminal, written anew each time; elsewhere nothing.
class ProgressLine {
 public:
  explicit ProgressLine(opp2p::Output& out) : out_(out) {
    const char* terminal = std::getenv("TERM");
    shown_ = ::isatty(out.descriptor()) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
  }
  void show(const attacks::Progress& progress) {
    draw([&] {
      return fmt::format("{:.0f} of {:.0f} s simulated, {} blocks, {:.2f}% in time, sybils in {:.1f}% of the meshes",
                         progress.at, progress.until, progress.blocks, progress.delivery * 100,
                         progress.hostile_mesh_share * 100);
    });
  }
  void show(double at, double until) {
    draw([&] { return fmt::format("{:.0f} of {:.0f} s simulated", at, until); });
  }
  void clear() {
    if (drawn_) out_.write("\r\x1b[J");
  }

 private:
  template <class MakeText>
  void draw(const MakeText& text) {
    if (!shown_) return;
    drawn_ = true;
    out_.write("\r\x1b[J" + text());
  }

  opp2p::Output& out_;
  bool shown_ = false;
  bool drawn_ = false;
};

Result<const attacks::Scenario*> scenario_of(const std::string& name) {
  if (const auto* found = attacks::find_scenario(name)) return found;
  const auto near = attacks::nearest_scenario(name);
  return fail(Errc::invalid_argument, fmt::format("there is no attack {}. {}", name,
                                                  near ? "Did you mean " + *near + "?" : "opp2p sim list names them."));
}

Result<attacks::Settings> settings_of(const attacks::Scenario& scenario, const RunArguments& arguments) {
  auto settings = attacks::defaults_of(scenario, arguments.nodes, arguments.minutes);
  settings.seed = arguments.seed;
  OPP2P_TRYV(attacks::apply_settings(settings, arguments.assignments));
  OPP2P_TRYV(attacks::validate(settings));
  return settings;
}

Result<attacks::Report> simulate(const attacks::Scenario& scenario, const attacks::Settings& settings,
                                 const attacks::OnProgress& go_on) {
  try {
    return attacks::run(scenario, settings, go_on);
  } catch (const std::bad_alloc&) {
    return fail(Errc::exhausted,
                "there is not enough memory for this network; give it fewer nodes, sybils, connections (sybil-dials, "
                "max-inbound) or a lower rate");
  }
}

bool is_story(const std::string& name) { return name.find('/') != std::string::npos; }

Result<const honest::Story*> story_of(const std::string& name) {
  if (const auto* found = honest::find_story(name)) return found;
  return fail(Errc::invalid_argument, fmt::format("there is no story {}. opp2p sim list names them.", name));
}

Result<void> refuse_folder(const RunArguments& arguments) {
  if (arguments.out.empty()) return {};
  return fail(Errc::invalid_argument, "--out: a story has no folder of its report; --json prints all of it");
}

// Runs `story(on_progress)`, shows how far it is, and prints its report. Signals end it early.
template <class Run>
Result<void> show_story(opp2p::Output& out, bool as_json, const Run& story) {
  use_large_pages();
  EndSignals signals;
  ProgressLine line(out);
  out.give_up_when([&signals] { return signals.came(); });
  const auto started = std::chrono::steady_clock::now();
  std::optional<std::invoke_result_t<Run, std::nullptr_t>> report;
  try {
    report = story([&](double at, double until) {
      line.show(at, until);
      return !signals.came() && !out.failed();
    });
  } catch (const std::bad_alloc&) {
  }
  out.give_up_when(nullptr);  // the signals end with this function
  line.clear();
  if (!report) return fail(Errc::exhausted, "there is not enough memory for this network; give it fewer nodes");
  report->program = program_version();
  report->wall_seconds = libp2p::seconds_of(std::chrono::steady_clock::now() - started);
  out.write(as_json ? report_json(*report) + "\n" : report_text(*report));
  return {};
}

Result<void> run_churn(opp2p::Output& out, const RunArguments& arguments) {
  OPP2P_TRYV(refuse_folder(arguments));
  churn::ChurnSettings settings;
  settings.seed = arguments.seed;
  if (arguments.nodes_given) settings.nodes = arguments.nodes;
  if (arguments.minutes_given) settings.minutes = arguments.minutes;
  OPP2P_TRYV(churn::apply_settings(settings, arguments.assignments));
  OPP2P_TRYV(churn::validate(settings));
  return show_story(out, arguments.json, [&](const churn::OnMinute& on_minute) {
    return churn::run(settings, [&](double at, double until) { return on_minute(at * 60, until * 60); });
  });
}

// A story has no rows to write: --json prints all of it.
Result<void> run_story(opp2p::Output& out, const RunArguments& arguments) {
  OPP2P_TRY(const auto* story, story_of(arguments.name));
  OPP2P_TRYV(refuse_folder(arguments));
  honest::StorySettings settings;
  settings.seed = arguments.seed;
  settings.nodes = arguments.nodes;
  settings.minutes = arguments.minutes;
  OPP2P_TRYV(honest::apply_settings(settings, arguments.assignments));
  OPP2P_TRYV(honest::validate(*story, settings));
  return show_story(out, arguments.json,
                    [&](const honest::OnSecond& on_second) { return honest::run(*story, settings, on_second); });
}

Result<void> run_attack(opp2p::Output& out, const RunArguments& arguments) {
  OPP2P_TRY(const auto* scenario, scenario_of(arguments.name));
  OPP2P_TRY(const auto settings, settings_of(*scenario, arguments));
  if (!arguments.out.empty()) OPP2P_TRYV(attacks::claim_folder(arguments.out));
  use_large_pages();
  EndSignals signals;
  ProgressLine line(out);
  out.give_up_when([&signals] { return signals.came(); });
  const auto started = std::chrono::steady_clock::now();
  auto simulated = simulate(*scenario, settings, [&](const attacks::Progress& progress) {
    line.show(progress);
    return !signals.came() && !out.failed();
  });
  out.give_up_when(nullptr);  // the signals end with this function, also where it fails
  line.clear();
  OPP2P_TRY(auto report, std::move(simulated));
  report.program = program_version();
  report.wall_seconds = libp2p::seconds_of(std::chrono::steady_clock::now() - started);
  out.write(arguments.json ? attacks::report_json(report) + "\n" : attacks::report_text(report));
  if (arguments.out.empty()) return {};
  OPP2P_TRYV(attacks::write_report(report, arguments.out));
  if (!arguments.json) out.write(fmt::format("The report is in {}.\n", arguments.out));
  return {};
}

Result<void> run_named(opp2p::Output& out, const RunArguments& arguments) {
  if (arguments.name == churn::kName) return run_churn(out, arguments);
  return is_story(arguments.name) ? run_story(out, arguments) : run_attack(out, arguments);
}

void list_attacks(opp2p::Output& out, bool as_json) {
  if (as_json) {
    boost::json::array listed;
    for (const auto& scenario : attacks::all_scenarios())
      listed.push_back({{"name", scenario.name}, {"about", scenario.about}});
    boost::json::array stories;
    for (const auto& story : honest::all_stories()) stories.push_back({{"name", story.name}, {"about", story.about}});
    stories.push_back({{"name", churn::kName}, {"about", churn::kAbout}});
    return print_line(out, {{"model", attacks::kModelVersion}, {"attacks", listed}, {"stories", stories}});
  }
  std::string text;
  for (const auto& scenario : attacks::all_scenarios())
    text += fmt::format("{:<20}{}\n", scenario.name, scenario.about);
  for (const auto& story : honest::all_stories()) text += fmt::format("{:<26}{}\n", story.name, story.about);
  text += fmt::format("{:<26}{}\n", churn::kName, churn::kAbout);
  out.write(text);
}

Result<void> list_story_settings(opp2p::Output& out, const std::string& name) {
  if (name == churn::kName) {
    out.write(fmt::format("{}: {}\n  {}\n", churn::kName, churn::kAbout, churn::setting_names()));
    return {};
  }
  OPP2P_TRY(const auto* story, story_of(name));
  std::string text = fmt::format("{}: {}\n", story->name, story->about);
  const honest::StorySettings settings;
  for (const auto& setting : honest::all_story_settings()) {
    text += fmt::format("  {:<30}{}\n", fmt::format("{}={}", setting.name, honest::value_text(settings, setting.name)),
                        setting.about);
  }
  out.write(text);
  return {};
}

// The settings of one attack, with its own defaults.
Result<void> list_settings(opp2p::Output& out, const std::string& name) {
  if (is_story(name)) return list_story_settings(out, name);
  OPP2P_TRY(const auto* scenario, scenario_of(name));
  const auto settings = attacks::defaults_of(*scenario, RunArguments().nodes, RunArguments().minutes);
  std::string text = fmt::format("{}: {}\n", scenario->name, scenario->about);
  for (const auto& setting : attacks::all_settings()) {
    text += fmt::format("  {:<30}{}\n", fmt::format("{}={}", setting.name, attacks::value_text(settings, setting)),
                        setting.about);
  }
  out.write(text);
  return {};
}

void add_list(CLI::App& app, opp2p::Output& out, int& exit_code) {
  auto* command = app.add_subcommand("list", "List the attacks and stories, or the settings of one");
  auto name = std::make_shared<std::string>();
  auto as_json = std::make_shared<bool>(false);
  auto* named = command->add_option("NAME", *name, "The attack or story whose settings are listed");
  command->add_flag("--json", *as_json, "Print the attacks as JSON, with the version of the model")->excludes(named);
  command->callback([name, as_json, &out, &exit_code] {
    if (name->empty()) return list_attacks(out, *as_json);
    const auto done = list_settings(out, *name);
    exit_code = done ? 0 : report(done.error());
  });
}

void add_run(CLI::App& app, opp2p::Output& out, int& exit_code) {
  auto* command = app.add_subcommand("run", "Simulate an attack, or a story of honest nodes, and say what came of it");
  auto arguments = std::make_shared<RunArguments>();
  command->add_option("NAME", arguments->name, "The attack or story; see opp2p sim list")->required();
  command->add_option("--seed", arguments->seed, "Seed of every random choice")->capture_default_str();
  auto* nodes = command->add_option("--nodes", arguments->nodes, "Number of honest nodes")
                    ->check(CLI::Range(10, 20'000))
                    ->capture_default_str();
  auto* minutes = command->add_option("--minutes", arguments->minutes, "Minutes of virtual time")
                      ->check(CLI::Range(0.1, 1440.0))
                      ->capture_default_str();
  command->add_option("--set", arguments->assignments, "A setting as key=value; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--out", arguments->out, "Folder for report.json, blocks.csv, samples.csv and summary.txt");
  command->add_flag("--json", arguments->json, "Print the report as JSON instead of the summary");
  command->callback([arguments, nodes, minutes, &out, &exit_code] {
    arguments->nodes_given = nodes->count() > 0;
    arguments->minutes_given = minutes->count() > 0;
    const auto done = run_named(out, *arguments);
    exit_code = done ? 0 : report(done.error());
  });
  std::string footer = "Settings:\n";
  for (const auto& setting : attacks::all_settings())
    footer += fmt::format("  {:<18}{}\n", setting.name, setting.about);
  command->footer(footer + "Their defaults depend on the attack: opp2p sim list NAME shows them.\n");
}

}  // namespace

void add_sim_commands(CLI::App& app, opp2p::Output& out, int& exit_code) {
  auto* command = app.add_subcommand("sim", "Simulate networks of up to thousands of nodes under attack");
  command->require_subcommand(1);
  add_list(*command, out, exit_code);
  add_run(*command, out, exit_code);
}

}  // namespace opp2p
