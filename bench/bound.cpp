// The reference for throughput: bytes over one TCP connection, sealed and opened with the same AEAD in messages of the
// same size, and nothing else. `bench_bound receive` prints its port, and its figures when all bytes have arrived and
// the sender has closed. `bench_bound send PORT BYTES` sends them.
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "libp2p/crypto/aead.hpp"

namespace {

using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::MutableBytes;
using libp2p::crypto::ChaCha20Poly1305;

constexpr std::size_t kMessage = 65535;                                // the largest Noise message
constexpr std::size_t kPlain = kMessage - ChaCha20Poly1305::kTagSize;  // of it plain
constexpr std::size_t kBatch = 4;                                      // messages in one write or read
const libp2p::ByteArray<ChaCha20Poly1305::kKeySize> kKey{1, 2, 3};

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

void report(std::uint64_t bytes, std::chrono::steady_clock::time_point start, double cpu) {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("{\"bytes\":%llu,\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n", static_cast<unsigned long long>(bytes),
              took.count(), cpu_seconds() - cpu);
  std::fflush(stdout);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void send_all(int socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket, bytes.data(), bytes.size(), 0);
    if (n <= 0) give_up("send");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

int send_bytes(std::uint16_t port, std::uint64_t total) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto address = loopback(port);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("connect");
  ChaCha20Poly1305 cipher(kKey);
  const Bytes plain(kPlain);
  Bytes out(kBatch * kMessage);
  std::uint64_t nonce = 0;
  const auto start = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds();
  for (std::uint64_t left = total; left > 0;) {
    std::size_t filled = 0;
    for (std::size_t i = 0; i < kBatch && left > 0; ++i) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, kPlain));
      cipher.seal(nonce++, {}, ByteView(plain).first(n),
                  MutableBytes(out).subspan(filled, n + ChaCha20Poly1305::kTagSize));
      filled += n + ChaCha20Poly1305::kTagSize;
      left -= n;
    }
    send_all(socket, ByteView(out).first(filled));
  }
  ::shutdown(socket, SHUT_WR);
  char end = 0;
  (void)::recv(socket, &end, 1, 0);  // the receiver has them all
  report(total, start, cpu);
  return 0;
}

int receive_bytes() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 1) != 0)
    give_up("listen");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  const int socket = ::accept(listener, nullptr, nullptr);
  ChaCha20Poly1305 cipher(kKey);
  Bytes in(kBatch * kMessage);
  std::size_t have = 0;
  std::uint64_t nonce = 0;
  std::uint64_t total = 0;
  const auto start = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds();
  for (;;) {
    const ssize_t n = ::recv(socket, in.data() + have, in.size() - have, 0);
    if (n < 0) give_up("recv");
    have += static_cast<std::size_t>(n);
    std::size_t at = 0;
    // The last message may be short: it is what is left when the sender has ended.
    while (have - at >= kMessage || (n == 0 && have > at)) {
      const std::size_t message = std::min(kMessage, have - at);
      const auto part = MutableBytes(in).subspan(at, message);
      const auto opened = cipher.open(nonce++, {}, part, part);
      if (!opened) give_up("open");
      total += *opened;
      at += message;
    }
    std::memmove(in.data(), in.data() + at, have - at);
    have -= at;
    if (n == 0) break;
  }
  report(total, start, cpu);
  ::close(socket);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "receive" && argc == 2) return receive_bytes();
  if (command == "send" && argc == 4)
    return send_bytes(static_cast<std::uint16_t>(std::atoi(argv[2])), std::strtoull(argv[3], nullptr, 10));
  std::fprintf(stderr, "usage: bench_bound receive | bench_bound send PORT BYTES\n");
  return 2;
}
