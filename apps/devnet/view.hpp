// The devnet's output in one of three forms: JSON lines, lines for a log, or an area that is drawn in place on a
// terminal that allows it. Peer ids are shortened only on a terminal. Owner and thread: the devnet's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/devnet/judgement.hpp"
#include "apps/devnet/record.hpp"
#include "apps/devnet/screen.hpp"
#include "apps/devnet/table.hpp"
#include "opp2p/base/output.hpp"

namespace opp2p::devnet {

// Where a member is reached and read.
struct MemberPlace {
  std::string name;
  std::string address;         // with /p2p/ID
  std::uint16_t rpc_port = 0;  // 0: it has none
  std::string log;             // a file
};

struct DevnetStart {
  std::uint64_t chain_id = 0;
  std::string fork;
  std::uint64_t block_time = 0;  // seconds
  std::string signer;
  std::string folder;
  std::vector<MemberPlace> nodes;
  std::optional<MemberPlace> intruder;
  std::string story;  // its name
  std::string about;  // and what it shows
};

struct DevnetSummary {
  Checks checks;  // the run is in order when all of them hold
  std::string story;
  std::string headline;  // what it means that all hold
  std::size_t blocks = 0;
  std::vector<NodeRow> rows;
  std::string data;  // the folder that stays; empty: it goes
};

boost::json::object to_json(const MemberPlace& place);

class View {
 public:
  enum class Form { json, lines, in_place };
  // In place only on a terminal, and as TERM and NO_COLOR have it.
  View(Output& out, bool json);

  Form form() const { return form_; }
  void show_start(const DevnetStart& start);
  // Something that happened once to the node. It stays on a terminal.
  void show_event(std::int64_t seconds, const std::string& name, const Event& event);
  // A node that was started after the others is up; `again`: it had been stopped.
  void show_joined(std::int64_t seconds, std::uint64_t head, const MemberPlace& place, bool again);
  void show_status(const DevnetStatus& status);
  void show_summary(const DevnetSummary& summary);

 private:
  // Whole lines that stay.
  void print(const std::string& text);
  std::string in(Colour colour, const std::string& text) const {
    return in_colour(kind_.colours ? colour : Colour::none, text);
  }
  std::string place_line(const MemberPlace& place) const;
  TerminalSize size() const;

  Output& out_;
  Form form_;
  TerminalKind kind_;
  Screen screen_;
};

}  // namespace opp2p::devnet
