// The load generator of bench/compare. Each command makes one kind of load on a peer, which is given by its address,
// and prints one line of JSON. Thread: one per program. Bounds: the counts on the command line.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/host/host.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/services/identify/identify_service.hpp"

namespace bench {

// The words after the command: one that has "=" is an option, the others are positional.
class Arguments {
 public:
  Arguments(int count, char** words);
  std::string text(std::string_view name, std::string_view otherwise) const;
  std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;
  // The positional ones; ends the program with a usage text when there is none left.
  const std::string& at(std::size_t index) const;

 private:
  std::vector<std::string> positional_;
  std::vector<std::pair<std::string, std::string>> options_;
};

// A host with a fresh key and identify.
struct Peer {
  Peer(libp2p::runtime::AsioRuntime& runtime, libp2p::crypto::KeyType type);
  std::unique_ptr<libp2p::Host> host;
  std::unique_ptr<libp2p::IdentifyService> identify;
};

// Connects, or ends the program saying why it cannot.
libp2p::PeerId connect(libp2p::runtime::AsioRuntime& runtime, libp2p::Host& host, const libp2p::Multiaddr& address);
libp2p::Multiaddr address_of(const std::string& text);
[[noreturn]] void give_up(const std::string& why);
double seconds(libp2p::Nanos time);
// The value below which `part` (0 to 1) of them lie.
double quantile(std::vector<double> values, double part);
void print(const boost::json::object& line);

int serve(const Arguments& arguments);
int echo(const Arguments& arguments);
int dials(const Arguments& arguments);
int idle(const Arguments& arguments);
int gossip(const Arguments& arguments);
int mesh(const Arguments& arguments);
int sync(const Arguments& arguments);
int rules(const Arguments& arguments);

}  // namespace bench
