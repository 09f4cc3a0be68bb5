// Any bytes on a connection: how they come makes no difference to what is read of them, every request is within its
// bounds, and what is held is what has come.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "opp2p/rpc/http_reader.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using libp2p::fuzzing::require;
using opp2p::HttpReader;

// The requests that were read, and how it ended, as texts.
std::vector<std::string> read_all(std::string_view bytes, std::size_t piece) {
  HttpReader reader;
  std::vector<std::string> out;
  for (;;) {
    const auto step = reader.step();
    reader.check();
    switch (step) {
      case HttpReader::Step::refused:
        out.push_back(std::to_string(static_cast<unsigned>(reader.refusal().status)) + reader.refusal().why);
        return out;
      case HttpReader::Step::whole: {
        const auto request = reader.take();
        out.push_back(std::string(request.method_string()) + " " + std::string(request.target()) + "\n" +
                      request.body());
        reader.next();
        break;
      }
      case HttpReader::Step::more: {
        if (bytes.empty()) return out;
        const auto size = std::min({piece, bytes.size(), HttpReader::kReadSize});
        std::memcpy(reader.prepare().data(), bytes.data(), size);
        reader.commit(size);
        bytes.remove_prefix(size);
        break;
      }
      case HttpReader::Step::head_whole:
      case HttpReader::Step::head:
      case HttpReader::Step::body: require(reader.held() > 0); break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto whole = read_all(input, HttpReader::kReadSize);
  require(read_all(input, 1) == whole);
  require(read_all(input, 61) == whole);
  return 0;
}
