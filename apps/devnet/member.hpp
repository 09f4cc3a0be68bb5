// One process of the devnet: its command, its addresses and its RPC.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/devnet/node_row.hpp"
#include "apps/devnet/process.hpp"
#include "opp2p/rpc/rpc_client.hpp"

namespace opp2p::devnet {

class Member {
 public:
  // `folder` is its own: its data, its log (log.txt) and, once it is up, its addresses (node.json).
  static libp2p::Result<Member> start(std::string name, std::string folder, std::vector<std::string> command);

  const std::string& name() const { return name_; }
  const std::string& folder() const { return folder_; }
  Process& process() { return process_; }

  // Its first listen address with /p2p/ID, once it is up.
  const std::string& address() const { return address_; }
  std::uint16_t rpc_port() const { return rpc_port_; }
  std::string log_path() const;

  // True once it has written where it listens. An error when it has ended instead, with its last words.
  libp2p::Result<bool> look_ready();
  // Waits for that. Errc::timed_out at the limit; Errc::cancelled as soon as `stop`, asked all the time, answers true.
  libp2p::Result<void> wait_ready(libp2p::Nanos limit, const std::function<bool()>& stop);

  // Its RPC, for any thread; once it is up.
  RpcClient client() const { return RpcClient("127.0.0.1", rpc_port_, rpc_token_); }
  libp2p::Result<boost::json::value> call(std::string_view method, boost::json::array params = {}) const;
  // The last known row, from opp2p_status.
  NodeRow row();
  // The hashes of its chain from block `from` to its head, in order.
  libp2p::Result<std::vector<std::string>> hashes(std::uint64_t from) const;

 private:
  Member(std::string name, std::string folder, Process process);
  std::string last_log_line() const;

  std::string name_;
  std::string folder_;
  Process process_;
  std::string address_;
  std::uint16_t rpc_port_ = 0;
  std::string rpc_token_;
  NodeRow last_;
};

}  // namespace opp2p::devnet
