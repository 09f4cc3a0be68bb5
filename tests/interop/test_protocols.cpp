#include "test_protocols.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "libp2p/crypto/hash.hpp"

namespace interop {

using libp2p::ByteArray;
using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::MutableBytes;
using libp2p::Result;
using libp2p::Stream;
using libp2p::runtime::Task;

namespace {

constexpr unsigned kPeriod = 251;  // prime to every buffer size
constexpr std::uint64_t kMaxAnswer = 1ULL << 32;

Task<void> serve_echo(Stream stream) {
  Bytes buffer(kChunk);
  while (true) {
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got) break;
    if (*got == 0) {
      stream.close_write();
      co_return;
    }
    const ByteView echo(buffer.data(), *got);
    const Result<void> sent = co_await stream.write(echo);
    if (!sent) break;
  }
  stream.reset();
}

Task<void> serve_sink(Stream stream) {
  Bytes buffer(kChunk);
  libp2p::crypto::Sha256 digest;
  std::uint64_t count = 0;
  while (true) {
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got) {
      stream.reset();
      co_return;
    }
    if (*got == 0) break;
    digest.update(ByteView(buffer.data(), *got));
    count += *got;
  }
  Bytes answer(8);
  libp2p::store_be64(answer.data(), count);
  const auto hash = digest.finish();
  libp2p::append(answer, hash);
  const Result<void> sent = co_await stream.write(answer);
  if (sent) {
    stream.close_write();
  } else {
    stream.reset();
  }
}

Task<void> serve_reset(Stream stream) {
  Bytes buffer(kResetAfter);
  const Result<void> got = co_await stream.read_exactly(buffer);
  (void)got;
  stream.reset();
}

Task<void> serve_half_close(Stream stream) {
  const Result<Bytes> request = co_await stream.read_to_end(8);
  if (!request || request->size() != 8) {
    stream.reset();
    co_return;
  }
  std::uint64_t left = libp2p::load_be64(request->data());
  if (left > kMaxAnswer) {
    stream.reset();
    co_return;
  }
  Pattern pattern;
  Bytes buffer(kChunk);
  while (left > 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
    const MutableBytes chunk(buffer.data(), size);
    pattern.fill(chunk);
    const Result<void> sent = co_await stream.write(chunk);
    if (!sent) {
      stream.reset();
      co_return;
    }
    left -= size;
  }
  stream.close_write();
}

}  // namespace

void Pattern::fill(MutableBytes out) {
  for (auto& byte : out) {
    byte = at_;
    at_ = static_cast<std::uint8_t>((at_ + 1U) % kPeriod);
  }
}

bool Pattern::matches(ByteView bytes) {
  for (const auto byte : bytes) {
    if (byte != at_) return false;
    at_ = static_cast<std::uint8_t>((at_ + 1U) % kPeriod);
  }
  return true;
}

void serve_test_protocols(libp2p::Host& host) {
  host.set_stream_handler(std::string(kEcho), serve_echo);
  host.set_stream_handler(std::string(kSink), serve_sink);
  host.set_stream_handler(std::string(kReset), serve_reset);
  host.set_stream_handler(std::string(kHalfClose), serve_half_close);
}

}  // namespace interop
