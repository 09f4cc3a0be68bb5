// The folder that a devnet works in: the one that was asked for, which is new or empty, or a temporary one. And the
// files in it.
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
