// What one block must cost a node, whatever its code: the sum of the parts that no node can leave out, each measured
// alone on this machine. bench/compare shows what a node takes as a multiple of it.
//
//   bench_floor forward size=BYTES: a gossiped block that is judged, stored and sent on
//   bench_floor serve size=BYTES: a stored block that is read and sent as an answer
//
// It prints one line of JSON: microseconds of CPU for each part, `once` for a block and `each` for every peer that it
// is sent to. Parts are measured in turns of a few milliseconds, and the least of the turns counts: what else the
// machine does only adds.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

#include "lib/made_chain.hpp"
#include "libp2p/base/crc32c.hpp"
#include "libp2p/crypto/aead.hpp"
#include "libp2p/crypto/hash.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/encoding/snappy_frame.hpp"
#include "opstack/rules/block_message.hpp"
#include "opstack/rules/message_id.hpp"
#include "opstack/rules/signing.hpp"

namespace {

using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::MutableBytes;
using libp2p::crypto::ChaCha20Poly1305;
namespace payload = opstack::payload;
namespace encoding = opstack::encoding;

constexpr std::uint64_t kGenesis = 1'760'000'000;
constexpr std::size_t kSignature = 65;
constexpr std::size_t kPlain = 65535 - ChaCha20Poly1305::kTagSize;  // of the largest Noise message
constexpr std::size_t kChunk = 128 << 10;                           // bytes of one system call
constexpr std::size_t kEnvelopeBytes =
    150;  // of the RPC, the topic, the muxer's and the cipher's headers around a block
constexpr std::size_t kRequestBytes = 120;  // of a request for a block, with the same
constexpr double kTurnMicros = 5000;
constexpr int kTurns = 40;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

double cpu_micros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

// The CPU time of one call, in microseconds: the least over kTurns turns of at least kTurnMicros each.
double measure(const std::function<void()>& work) {
  work();
  double least = 1e12;
  for (int turn = 0; turn < kTurns; ++turn) {
    const double start = cpu_micros();
    int calls = 0;
    do {
      work();
      ++calls;
    } while (cpu_micros() - start < kTurnMicros);
    least = std::min(least, (cpu_micros() - start) / calls);
  }
  return least;
}

template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

// Two ends of a TCP connection over loopback, as between two processes of one machine.
class Loopback {
 public:
  Loopback() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 1) != 0)
      give_up("listen");
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    near_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(near_, reinterpret_cast<sockaddr*>(&address), size) != 0) give_up("connect");
    far_ = ::accept(listener, nullptr, nullptr);
    if (far_ < 0) give_up("accept");
    ::close(listener);
    const int on = 1;
    for (const int socket : {near_, far_}) ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Loopback() {
    ::close(near_);
    ::close(far_);
  }
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  struct Cost {
    double write = 0;
    double read = 0;
  };
  // The least that writing and reading so many bytes takes, each in as few calls as kChunk allows. The kernel's work
  // for the receiver is part of the write, as on a node whose peers are on the same machine.
  Cost cost(std::size_t bytes) {
    Cost least{1e12, 1e12};
    Bytes out(kChunk);
    Bytes in(kChunk);
    const int passes = static_cast<int>(std::clamp<std::size_t>(20'000'000 / bytes, 50, 4000));
    Cost sum;
    int counted = 0;
    for (int pass = 0; pass < passes; ++pass) {
      Cost one;
      for (std::size_t done = 0; done < bytes;) {
        const std::size_t n = std::min(kChunk, bytes - done);
        one.write += transfer([&](std::size_t at) { return ::send(near_, out.data() + at, n - at, 0); }, n);
        one.read += transfer([&](std::size_t at) { return ::recv(far_, in.data() + at, n - at, 0); }, n);
        done += n;
      }
      sum.write += one.write;
      sum.read += one.read;
      if (++counted == 20) {
        least.write = std::min(least.write, sum.write / counted);
        least.read = std::min(least.read, sum.read / counted);
        sum = {};
        counted = 0;
      }
    }
    return least;
  }

 private:
  static double transfer(const std::function<ssize_t(std::size_t)>& call, std::size_t bytes) {
    const double start = cpu_micros();
    for (std::size_t done = 0; done < bytes;) {
      const ssize_t n = call(done);
      if (n <= 0) give_up("transfer");
      done += static_cast<std::size_t>(n);
    }
    return cpu_micros() - start;
  }

  int near_ = -1;
  int far_ = -1;
};

double seal_cost(std::size_t bytes) {
  ChaCha20Poly1305 cipher(libp2p::ByteArray<ChaCha20Poly1305::kKeySize>{1, 2, 3});
  const Bytes plain(bytes, 7);
  Bytes out(bytes + (bytes / kPlain + 1) * ChaCha20Poly1305::kTagSize);
  std::uint64_t nonce = 0;
  return measure([&] {
    for (std::size_t at = 0, to = 0; at < bytes; at += kPlain) {
      const std::size_t n = std::min(kPlain, bytes - at);
      cipher.seal(nonce++, {}, ByteView(plain).subspan(at, n),
                  MutableBytes(out).subspan(to, n + ChaCha20Poly1305::kTagSize));
      to += n + ChaCha20Poly1305::kTagSize;
    }
  });
}

double open_cost(std::size_t bytes) {
  const libp2p::ByteArray<ChaCha20Poly1305::kKeySize> key{1, 2, 3};
  ChaCha20Poly1305 cipher(key);
  std::vector<Bytes> messages;
  for (std::size_t at = 0; at < bytes; at += kPlain) {
    const std::size_t n = std::min(kPlain, bytes - at);
    messages.emplace_back(n + ChaCha20Poly1305::kTagSize);
    cipher.seal(at, {}, Bytes(n, 7), messages.back());
  }
  Bytes out(std::min(bytes, kPlain));
  return measure([&] {
    std::size_t at = 0;
    for (const auto& message : messages) {
      const auto opened =
          cipher.open(at, {}, message, MutableBytes(out).first(message.size() - ChaCha20Poly1305::kTagSize));
      if (!opened) give_up("open");
      at += kPlain;
    }
  });
}

double copy_cost(ByteView bytes) {
  Bytes to(bytes.size());
  return measure([&] {
    std::memcpy(to.data(), bytes.data(), bytes.size());
    keep(to);
  });
}

// A block of the chain that the loads make, as message and as body.
struct Sample {
  explicit Sample(std::size_t size) : made(kGenesis, size), envelope(made.chain.next()) {
    const auto version = opstack::testing::version_of(made.chain.options().fork);
    auto signed_block =
        opstack::rules::make_block_message(made.chain.options().chain_id, version, envelope, made.signer);
    if (!signed_block) {
      std::fprintf(stderr, "%s\n", signed_block.error().message().c_str());
      std::exit(1);
    }
    message = std::move(*signed_block);
    contents = encoding::snappy_decompress(*message.data, opstack::rules::kMaxGossipSize).value();
  }
  ByteView body() const { return ByteView(contents).subspan(kSignature); }

  MadeChain made;
  payload::Envelope envelope;
  opstack::rules::BlockMessage message;
  Bytes contents;
};

void print(const boost::json::object& parts_once, const boost::json::object& parts_each) {
  const auto sum = [](const boost::json::object& parts) {
    double total = 0;
    for (const auto& part : parts) total += part.value().as_double();
    return total;
  };
  const boost::json::object line{
      {"once_us", sum(parts_once)}, {"each_us", sum(parts_each)}, {"once", parts_once}, {"each", parts_each}};
  std::printf("%s\n", boost::json::serialize(line).c_str());
}

void forward(const Sample& sample) {
  const std::size_t on_the_wire = sample.message.data->size() + kEnvelopeBytes;
  const ByteView body = sample.body();
  const auto& chain_id = sample.made.chain.options().chain_id;
  const auto digest = opstack::rules::signing_hash(chain_id, opstack::rules::payload_hash(body));
  Loopback loopback;
  const auto system = loopback.cost(on_the_wire);
  boost::json::object once;
  once["read"] = system.read;
  once["open"] = open_cost(on_the_wire);
  once["decompress"] = measure([&] {
    auto out = encoding::snappy_decompress(*sample.message.data, opstack::rules::kMaxGossipSize);
    keep(out);
  });
  once["sha256"] = measure([&] { keep(libp2p::crypto::sha256(sample.contents)); });
  once["keccak_of_the_body"] = measure([&] { keep(opstack::rules::payload_hash(body)); });
  once["recover"] = measure(
      [&] { keep(libp2p::crypto::secp256k1::recover_address(digest, ByteView(sample.contents).first(kSignature))); });
  once["ssz_decode"] = measure([&] { keep(payload::decode_envelope(sample.message.version, body)); });
  once["block_hash"] = measure([&] { keep(payload::compute_block_hash(sample.envelope)); });
  once["crc32c"] = measure([&] { keep(libp2p::crc32c(body)); });
  once["copy"] = copy_cost(body);
  boost::json::object each;
  each["seal"] = seal_cost(on_the_wire);
  each["write"] = system.write;
  print(once, each);
}

void serve(const Sample& sample) {
  Bytes frames;
  encoding::append_snappy_frames(frames, sample.body());
  const std::size_t answer = frames.size() + kEnvelopeBytes;
  Loopback loopback;
  boost::json::object once;
  once["read"] = loopback.cost(kRequestBytes).read;
  once["open"] = open_cost(kRequestBytes);
  once["copy"] = copy_cost(frames);
  boost::json::object each;
  each["seal"] = seal_cost(answer);
  each["write"] = loopback.cost(answer).write;
  print(once, each);
}

}  // namespace

int main(int count, char** words) {
  const std::string what = count > 1 ? words[1] : "";
  const std::string size = count > 2 ? words[2] : "";
  const std::string prefix = "size=";
  if ((what != "forward" && what != "serve") || !size.starts_with(prefix)) {
    std::fputs("usage: bench_floor forward|serve size=BYTES\n", stderr);
    return 2;
  }
  const Sample sample(std::strtoull(size.c_str() + prefix.size(), nullptr, 10));
  what == "forward" ? forward(sample) : serve(sample);
  return 0;
}
