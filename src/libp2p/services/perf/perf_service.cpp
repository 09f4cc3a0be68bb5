#include "libp2p/services/perf/perf_service.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "libp2p/services/stream_tools.hpp"

namespace libp2p {

using libp2p::Stream;
using runtime::Task;

namespace {

constexpr std::size_t kChunk = 256 * 1024;
constexpr std::array<std::uint8_t, kChunk> kZeros{};

}  // namespace

PerfService::PerfService(libp2p::Host& host, PerfConfig config)
    : host_(host), config_(config), serving_(config.inbound_per_peer), scope_(host.runtime()) {
  if (!config_.serve) return;
  serve_in_scope(host_, scope_, kPerfProtocol, [this](Stream stream) { return serve(std::move(stream)); });
}

PerfService::~PerfService() {
  if (config_.serve) host_.remove_stream_handler(kPerfProtocol);
}

MonoTime PerfService::deadline(MonoTime start, std::uint64_t bytes) const {
  const auto longest = static_cast<std::uint64_t>(config_.longest_exchange / Seconds(1));
  const Nanos earned = Seconds(std::min(bytes / config_.least_rate, longest));
  return start + std::min(config_.grace + earned, config_.longest_exchange);
}

// `moved` are the bytes that the exchange had moved before, since `start`.
Task<Result<void>> PerfService::send_zeros(Stream& stream, std::uint64_t count, MonoTime start, std::uint64_t moved) {
  while (count > 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(count, kChunk));
    stream.set_write_deadline(deadline(start, moved));
    const ByteView chunk(kZeros.data(), size);
    const Result<void> wrote = co_await stream.write(chunk);
    if (!wrote) co_return wrote.error();
    count -= size;
    moved += size;
  }
  co_return Result<void>();
}

// Reads to the end of the stream and answers how many bytes came. `first` (may be null) is set to when the first did,
// or the end.
Task<Result<std::uint64_t>> PerfService::drain(Stream& stream, MonoTime start, std::uint64_t moved, MonoTime* first) {
  Bytes buffer(kChunk);
  std::uint64_t total = 0;
  while (true) {
    stream.set_read_deadline(deadline(start, moved + total));
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got) co_return got.error();
    if (total == 0 && first != nullptr) *first = host_.runtime().now().mono;
    if (*got == 0) co_return total;
    total += *got;
  }
}

Task<void> PerfService::serve(Stream stream) {
  const ServingCount::Place place(serving_, stream.peer());
  if (!place.granted()) {
    stream.reset();
    co_return;
  }
  ByteArray<8> wanted{};
  const MonoTime start = host_.runtime().now().mono;
  stream.set_read_deadline(deadline(start, 0));
  const Result<void> head = co_await stream.read_exactly(wanted);
  if (!head) {
    stream.reset();
    co_return;
  }
  const Result<std::uint64_t> uploaded = co_await drain(stream, start, 0, nullptr);
  if (!uploaded) {
    stream.reset();
    co_return;
  }
  const Result<void> sent = co_await send_zeros(stream, load_be64(wanted.data()), start, *uploaded);
  if (sent) {
    stream.close_write();
  } else {
    stream.reset();
  }
}

Task<Result<PerfResult>> PerfService::run(PeerId peer, std::uint64_t upload, std::uint64_t download) {
  PerfResult result;
  const MonoTime start = host_.runtime().now().mono;
  Result<Stream> opened = co_await host_.open_stream(std::move(peer), kPerfProtocol);
  if (!opened) co_return opened.error().within("while opening a perf stream");
  Stream stream = std::move(*opened);

  ByteArray<8> wanted{};
  store_be64(wanted.data(), download);
  stream.set_write_deadline(deadline(start, 0));
  const Result<void> asked = co_await stream.write(wanted);
  if (!asked) co_return asked.error().within("while asking for the download");
  const Result<void> sent = co_await send_zeros(stream, upload, start, 0);
  if (!sent) co_return sent.error().within("while uploading");
  result.uploaded = upload;
  stream.close_write();

  MonoTime first = start;
  const Result<std::uint64_t> got = co_await drain(stream, start, upload, &first);
  if (!got) co_return got.error().within("while downloading");
  result.downloaded = *got;
  result.upload = first - start;
  result.download = host_.runtime().now().mono - first;
  if (*got != download) {
    co_return fail(Errc::mismatch,
                   "the server sent " + std::to_string(*got) + " bytes, it was asked for " + std::to_string(download));
  }
  co_return result;
}

Task<void> PerfService::close() {
  if (config_.serve) host_.remove_stream_handler(kPerfProtocol);
  return scope_.close();
}

}  // namespace libp2p
