// How the help of a subcommand shows an option: its name, the kind of its value, and behind the description what the
// value may be and what it is by default: "--nodes N  Number of followers (1 to 50; default 4)". CLI11's own way is
// "--nodes UINT:INT in [1 - 50]=4".
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace opp2p {

class HelpFormat : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace opp2p
