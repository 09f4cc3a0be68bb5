#include "apps/devnet/data_folder.hpp"

#include <stdlib.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "opp2p/base/file_error.hpp"
#include "opp2p/base/json_text.hpp"

namespace opp2p::devnet {
namespace fs = std::filesystem;
namespace json = boost::json;

using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;

namespace {

// Where temporary files go, and the variable that says so; "" for the system's own.
std::pair<fs::path, std::string> temporary_place() {
  for (const char* name : {"TMPDIR", "TMP", "TEMP", "TEMPDIR"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return {value, name};
  return {"/tmp", ""};
}

// "No such file or directory" as a part of a sentence.
std::string reason_of(int error) {
  std::string out = std::strerror(error);
  if (out.size() > 1 && std::islower(static_cast<unsigned char>(out[1])) != 0)
    out[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(out[0])));
  return out;
}

}  // namespace

Result<DataFolder> make_data_folder(const std::string& wanted) {
  std::error_code error;
  if (wanted.empty()) {
    const auto [place, variable] = temporary_place();
    std::string name = (place / "opp2p-devnet-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      const int code = errno;
      const auto where = place.string() + (variable.empty() ? "" : " (" + variable + ")");
      return fail(Errc::io, "cannot create a temporary folder in " + where + ": " + reason_of(code) + ". Set " +
                                (variable.empty() ? "TMPDIR" : variable) + " to " +
                                (code == ENOENT ? "a folder that exists" : "another folder") + ", or give --data-dir.");
    }
    return DataFolder{name, true};
  }
  const auto folder = fs::absolute(wanted, error);
  if (!error && fs::exists(folder, error) && !fs::is_empty(folder, error) && !error)
    return fail(Errc::io, "--data-dir " + folder.string() + " is not empty; give another folder, or remove it");
  if (!error) fs::create_directories(folder, error);
  if (error)
    return fail(Errc::io, "cannot create --data-dir " + folder.string() + ": " + file_error(error.value(), folder));
  return DataFolder{folder, false};
}

Result<void> write_file(const fs::path& path, const std::string& text) {
  errno = 0;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return fail(Errc::io, "cannot write " + path.string() + ": " + file_error(errno, path));
  return {};
}

std::string pretty(const json::object& object) {
  std::string out = "{\n";
  for (std::size_t i = 0; const auto& item : object)
    out += "  " + json_text(json::string(item.key())) + ": " + json_text(item.value()) +
           (++i < object.size() ? ",\n" : "\n");
  return out + "}\n";
}

}  // namespace opp2p::devnet
