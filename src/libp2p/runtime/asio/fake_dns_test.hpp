// A name server for tests on loopback; the test runs its loop. It answers A and AAAA questions about the names that it
// was given and NXDOMAIN for other names. It does not answer for dead names. Answers of more than 512 bytes come over
// TCP only.
#pragma once

#include <arpa/inet.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libp2p/base/bytes.hpp"

namespace libp2p::runtime {

class FakeDns {
 public:
  struct State {
    State(boost::asio::io_context& context, const std::string& ip, std::uint16_t port)
        : socket(context, {boost::asio::ip::make_address(ip), port}), address(socket.local_endpoint()) {}
    boost::asio::ip::udp::socket socket;
    boost::asio::ip::udp::endpoint address;
    boost::asio::ip::udp::endpoint from;
    std::map<std::string, std::vector<std::string>> names;
    std::set<std::string> dead;
    bool answers_aaaa = true;
    std::uint8_t failure = 3;            // what it says of names that it does not know: NXDOMAIN
    std::vector<std::string> questions;  // the names in them
    std::size_t noise = 0;               // datagrams with another question's id before each answer
    Bytes buffer = Bytes(1024);
    std::optional<boost::asio::ip::tcp::acceptor> acceptor;
  };

  explicit FakeDns(boost::asio::io_context& context, const std::string& ip = "127.0.0.1", std::uint16_t port = 0)
      : state_(std::make_shared<State>(context, ip, port)) {
    receive(state_);
  }
  ~FakeDns() {
    state_->socket.close();
    state_->acceptor.reset();
  }
  FakeDns(const FakeDns&) = delete;
  FakeDns& operator=(const FakeDns&) = delete;

  // On the same port. Once, on an address of the test's own, where nobody else has that port.
  void serve_tcp() {
    const auto at = boost::asio::ip::tcp::endpoint(state_->address.address(), state_->address.port());
    state_->acceptor.emplace(state_->socket.get_executor(), at);
    accept(state_);
  }

  std::uint16_t port() const { return state_->address.port(); }
  State* operator->() const { return state_.get(); }
  // As NameOptions::servers has it.
  std::string text() const {
    const std::string ip = state_->address.address().to_string();
    const std::string shown = state_->address.address().is_v6() ? "[" + ip + "]" : ip;
    return shown + ":" + std::to_string(state_->address.port());
  }

 private:
  static void receive(const std::shared_ptr<State>& state) {
    const auto into = boost::asio::buffer(state->buffer.data(), state->buffer.size());
    state->socket.async_receive_from(
        into, state->from, [state](const boost::system::error_code& failed, std::size_t size) {
          if (failed) return;
          constexpr std::size_t kMostInADatagram = 512;
          Bytes answer = answer_to(*state, ByteView(state->buffer).first(size));
          if (answer.size() > kMostInADatagram) {
            answer.resize(size);
            answer[2] |= 2;  // truncated
            answer[6] = answer[7] = 0;
          }
          boost::system::error_code ignored;
          Bytes other(answer);
          if (!other.empty()) other[0] ^= 1;
          for (std::size_t i = 0; i < state->noise; ++i)
            state->socket.send_to(boost::asio::buffer(other.data(), other.size()), state->from, 0, ignored);
          if (!answer.empty())
            state->socket.send_to(boost::asio::buffer(answer.data(), answer.size()), state->from, 0, ignored);
          receive(state);
        });
  }

  static void accept(const std::shared_ptr<State>& state) {
    state->acceptor->async_accept(
        [state](const boost::system::error_code& failed, boost::asio::ip::tcp::socket socket) {
          if (failed) return;
          serve(state, std::make_shared<boost::asio::ip::tcp::socket>(std::move(socket)));
          accept(state);
        });
  }

  // Its queries are small, so that what follows the length is there with it.
  static void serve(const std::shared_ptr<State>& state, const std::shared_ptr<boost::asio::ip::tcp::socket>& socket) {
    auto in = std::make_shared<Bytes>(2);
    boost::asio::async_read(
        *socket, boost::asio::buffer(*in), [=](const boost::system::error_code& failed, std::size_t) {
          if (failed) return;
          boost::system::error_code ended;
          Bytes query(load_be16(in->data()));
          boost::asio::read(*socket, boost::asio::buffer(query), ended);
          Bytes answer = answer_to(*state, query);
          answer.insert(answer.begin(),
                        {static_cast<std::uint8_t>(answer.size() >> 8), static_cast<std::uint8_t>(answer.size())});
          if (!ended) boost::asio::write(*socket, boost::asio::buffer(answer), ended);
          if (!ended) serve(state, socket);
        });
  }

  static void add(Bytes& to, std::initializer_list<int> bytes) {
    for (const int byte : bytes) to.push_back(static_cast<std::uint8_t>(byte));
  }

  // Empty: silence. RFC 1035, 4: a header of 12 bytes and the question come back, then the answers.
  static Bytes answer_to(State& state, ByteView query) {
    if (query.size() < 17) return {};
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      if (!name.empty()) name += '.';
      name.append(as_text(query.subspan(at + 1, query[at])));
      at += 1U + query[at];
    }
    state.questions.push_back(name);
    const bool v6 = query[at + 2] == 28;
    const std::size_t end = at + 5;
    if (state.dead.contains(name) || (v6 && !state.answers_aaaa)) return {};
    Bytes out(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(end));
    const auto known = state.names.find(name);
    out[2] = 0x81;
    out[3] = static_cast<std::uint8_t>(0x80 | (known == state.names.end() ? state.failure : 0));
    out[8] = out[9] = out[10] = out[11] = 0;
    if (known == state.names.end()) return out;
    for (const std::string& ip : known->second) {
      std::uint8_t raw[16];
      if ((ip.find(':') != std::string::npos) != v6) continue;
      if (inet_pton(v6 ? AF_INET6 : AF_INET, ip.c_str(), raw) != 1) continue;
      if (++out[7] == 0) ++out[6];
      const int size = v6 ? 16 : 4;
      add(out, {0xc0, 12, 0, v6 ? 28 : 1, 0, 1, 0, 0, 0, 60, 0, size});
      out.insert(out.end(), raw, raw + size);
    }
    return out;
  }

  std::shared_ptr<State> state_;
};

}  // namespace libp2p::runtime
