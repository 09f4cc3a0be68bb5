// The folder of a devnet and the files in it. The folder is the one given on the command line, which must be new or
// empty, or a temporary one.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <string>

#include "libp2p/base/result.hpp"

namespace opp2p::devnet {

struct DataFolder {
  std::filesystem::path path;
  bool temporary = false;  // its owner removes it
};

// "" asks for a temporary folder, in TMPDIR as programs do. The error names the place and what to do.
libp2p::Result<DataFolder> make_data_folder(const std::string& wanted);

libp2p::Result<void> write_file(const std::filesystem::path& path, const std::string& text);
// A line for each member.
std::string pretty(const boost::json::object& object);

}  // namespace opp2p::devnet
