// A blocking client for the tests of the HTTP server: raw bytes in, all that comes back out.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <string_view>

namespace opp2p {

// Sends a request as it is and reads until the server ends the connection.
inline std::string http_raw(std::uint16_t port, std::string_view request) {
  namespace asio = boost::asio;
  asio::io_context context;
  asio::ip::tcp::socket socket(context);
  socket.connect({asio::ip::address_v4::loopback(), port});
  boost::system::error_code error;
  asio::write(socket, asio::buffer(request), error);
  std::string answer;
  asio::read(socket, asio::dynamic_buffer(answer), error);
  return answer;
}

// Sends one request with "Connection: close": its first lines, and a body.
inline std::string http_exchange(std::uint16_t port, std::string_view head, std::string_view body = "") {
  std::string request(head);
  request += "Host: x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  request += body;
  return http_raw(port, request);
}

inline std::string status_of(const std::string& answer) {
  return answer.substr(0, std::min(answer.find("\r\n"), answer.size()));
}

}  // namespace opp2p
