#include "apps/devnet/view.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "opp2p/base/json_text.hpp"

namespace opp2p::devnet {
namespace json = boost::json;
namespace {

std::string url_of(const MemberPlace& place) {
  return place.rpc_port == 0 ? "-" : "http://127.0.0.1:" + std::to_string(place.rpc_port);
}

std::string json_line(const json::object& object) { return json_text(object) + "\n"; }

json::array rows_json(const std::vector<NodeRow>& rows) {
  json::array out;
  for (const auto& row : rows) out.push_back(to_json(row));
  return out;
}

std::string start_json(const DevnetStart& start) {
  json::array addresses;
  json::array nodes;
  for (const auto& node : start.nodes) {
    addresses.emplace_back(node.address);
    nodes.push_back(to_json(node));
  }
  return json_line({{"type", "started"},
                    {"chainId", start.chain_id},
                    {"fork", start.fork},
                    {"signer", start.signer},
                    {"rollupConfig", start.folder + "/rollup.json"},
                    {"addresses", std::move(addresses)},
                    {"nodes", std::move(nodes)},
                    {"intruder", start.intruder ? json::value(to_json(*start.intruder)) : json::value(nullptr)},
                    {"story", start.story}});
}

std::string summary_json(const DevnetSummary& summary) {
  json::array problems;
  json::array checks;
  for (const auto& check : summary.checks) {
    if (!check.ok) problems.emplace_back(check.text);
    checks.push_back(json::object{{"ok", check.ok}, {"text", check.text}});
  }
  return json_line({{"type", "summary"},
                    {"story", summary.story},
                    {"ok", all_ok(summary.checks)},
                    {"blocks", summary.blocks},
                    {"nodes", rows_json(summary.rows)},
                    {"checks", std::move(checks)},
                    {"problems", std::move(problems)},
                    {"dataDir", summary.data.empty() ? json::value(nullptr) : json::value(summary.data)}});
}

Colour colour_of(Event::Mood mood) {
  switch (mood) {
    case Event::Mood::good: return Colour::green;
    case Event::Mood::notable: return Colour::yellow;
    case Event::Mood::bad: return Colour::red;
  }
  return Colour::none;
}

}  // namespace

json::object to_json(const MemberPlace& place) {
  json::object out{{"name", place.name}, {"address", place.address}};
  out["rpc"] = place.rpc_port == 0 ? json::value(nullptr) : json::value(url_of(place));
  out["log"] = place.log;
  return out;
}

View::View(Output& out, bool json)
    : out_(out),
      kind_(terminal_kind(!json && ::isatty(out.descriptor()) == 1, std::getenv("TERM"), std::getenv("NO_COLOR"))) {
  form_ = json ? Form::json : kind_.in_place ? Form::in_place : Form::lines;
}

TerminalSize View::size() const {
  winsize known{};
  TerminalSize out;
  if (::ioctl(out_.descriptor(), TIOCGWINSZ, &known) != 0) return out;
  if (known.ws_col > 0) out.columns = known.ws_col;
  if (known.ws_row > 0) out.rows = known.ws_row;
  return out;
}

void View::print(const std::string& text) { out_.write(form_ == Form::in_place ? screen_.print_above(text) : text); }

std::string View::place_line(const MemberPlace& place) const {
  if (form_ == Form::in_place)
    return fmt::format("{:<12} {:<22} {}\n", place.name, url_of(place), with_short_peer_id(place.address));
  return fmt::format("{:<12} rpc={} p2p={} log={}\n", place.name, url_of(place), place.address, place.log);
}

void View::show_start(const DevnetStart& start) {
  if (form_ == Form::json) return out_.write(start_json(start));
  auto text = start.about.empty() ? std::string() : in(Colour::bold, start.story) + ": " + start.about + "\n";
  text += fmt::format("chain {} ({}), a block every {} s\nrollup config  {}/rollup.json\nblock signer   {}\n",
                      start.chain_id, start.fork, start.block_time, start.folder, start.signer);
  if (form_ == Form::in_place) {
    text += fmt::format("logs           {}/NODE/log.txt\naddresses      {}/devnet.json, in full\n", start.folder,
                        start.folder);
    text += in(Colour::bold, fmt::format("{:<12} {:<22} {}", "node", "RPC", "peer-to-peer")) + "\n";
  }
  for (const auto& node : start.nodes) text += place_line(node);
  if (start.intruder) text += place_line(*start.intruder);
  text += "\n";
  print(text);
}

void View::show_event(std::int64_t seconds, const std::string& name, const Event& event) {
  if (form_ == Form::json) {
    json::object line{
        {"type", "event"}, {"seconds", seconds}, {"name", name}, {"event", event.id}, {"text", event.text}};
    for (const auto& item : event.data) line[item.key()] = item.value();
    return out_.write(json_line(line));
  }
  print(fmt::format("after {} s: {}\n", seconds, in(colour_of(event.mood), name + " " + event.text)));
}

void View::show_joined(std::int64_t seconds, std::uint64_t head, const MemberPlace& place, bool again) {
  if (form_ == Form::json) {
    auto line = to_json(place);
    line["type"] = "joined";
    line["seconds"] = seconds;
    line["again"] = again;
    return out_.write(json_line(line));
  }
  show_event(seconds, place.name, {"joined", fmt::format("{} at block {}", again ? "is back" : "joined", head)});
  print(place_line(place));
}

void View::show_status(const DevnetStatus& status) {
  switch (form_) {
    case Form::json:
      return out_.write(json_line(
          {{"type", "status"}, {"seconds", status.seconds}, {"head", status.head}, {"nodes", rows_json(status.rows)}}));
    case Form::lines: return out_.write(plain_lines(status));
    case Form::in_place: {
      const auto at = size();
      return out_.write(screen_.draw(live_lines(status, at, kind_.colours), at));
    }
  }
}

void View::show_summary(const DevnetSummary& summary) {
  screen_.leave();
  if (form_ == Form::json) return out_.write(summary_json(summary));
  const bool ok = all_ok(summary.checks);
  auto text = fmt::format("\n{}. ", blocks_text(summary.blocks));
  text += (ok ? in(Colour::green, summary.headline) : in(Colour::red, "Problems:")) + "\n";
  for (const auto& check : summary.checks)
    text += "  " + (check.ok ? in(Colour::green, "PASS") : in(Colour::red, "FAIL")) + "  " + check.text + "\n";
  if (!summary.data.empty())
    text += "data and logs: " + summary.data + "\n";
  else if (!ok)
    text += "The data and logs are removed. --keep keeps them.\n";
  print(text);
}

}  // namespace opp2p::devnet
