#include "opstack/sync/wire/codec.hpp"

#include <algorithm>

namespace libp2p::payload_by_number {
namespace {

constexpr std::size_t kHeadSize = 5;

}  // namespace

std::string protocol_id(std::string_view chain_id) {
  return "/opstack/req/payload_by_number/" + std::string(chain_id) + "/0";
}

std::string_view to_string(ResultCode code) {
  switch (code) {
    case ResultCode::success:
      return "success";
    case ResultCode::not_found:
      return "not found";
    case ResultCode::invalid_request:
      return "invalid request";
    case ResultCode::other:
      return "other error";
  }
  return "unknown code";
}

ByteArray<kRequestSize> encode_request(std::uint64_t number) {
  ByteArray<kRequestSize> out;
  store_le64(out.data(), number);
  return out;
}

Result<std::uint64_t> decode_request(ByteView request) {
  if (request.size() < kRequestSize)
    return Error::at(request.size(), Errc::truncated,
                     "a request is 8 bytes, this one has " + std::to_string(request.size()));
  if (request.size() > kRequestSize)
    return Error::at(kRequestSize, Errc::malformed,
                     "a request is 8 bytes, this one has " + std::to_string(request.size()));
  return load_le64(request.data());
}

ResponseDecoder::ResponseDecoder(std::size_t max_compressed, std::size_t max_decompressed)
    : frames_(max_decompressed, max_compressed) {}

Result<void> ResponseDecoder::broken(Error error) {
  failed_ = error;
  body_ = Bytes{};
  return error;
}

Result<void> ResponseDecoder::push(ByteView piece) {
  if (failed_) return *failed_;
  if (piece.empty()) return {};
  if (!code_) {
    code_ = piece.front();
    piece = piece.subspan(1);
  }
  if (*code_ != 0) return {};
  while (!version_ && !piece.empty()) {
    version_bytes_[version_filled_++] = piece.front();
    piece = piece.subspan(1);
    if (version_filled_ < 4) continue;
    const std::uint32_t version = load_le32(version_bytes_);
    if (version > 1)
      return broken(Error::at(1, Errc::unsupported,
                              "response version " + std::to_string(version) + " is unknown, 0 and 1 are in use"));
    version_ = static_cast<ResponseVersion>(version);
  }
  if (piece.empty()) return {};
  if (auto done = frames_.push(piece, body_); !done) {
    const Error& inner = done.error();
    return broken(inner.offset() ? Error::at(kHeadSize + *inner.offset(), inner.code(), inner.text()) : inner);
  }
  return {};
}

Result<void> ResponseDecoder::finish() {
  if (failed_) return *failed_;
  if (!code_) return broken(Error::at(0, Errc::truncated, "the answer is empty"));
  if (*code_ != 0) return {};
  if (!version_) return broken(Error::at(1 + version_filled_, Errc::truncated, "the answer ends within its version"));
  if (auto done = frames_.finish(); !done) {
    const Error& inner = done.error();
    return broken(inner.offset() ? Error::at(kHeadSize + *inner.offset(), inner.code(), inner.text()) : inner);
  }
  if (body_.empty()) return broken(Error::at(kHeadSize, Errc::truncated, "the answer holds no payload"));
  return {};
}

ByteArray<5> encode_response_head(ResponseVersion version) {
  ByteArray<kHeadSize> out{};
  store_le32(out.data() + 1, static_cast<std::uint32_t>(version));
  return out;
}

Bytes encode_response(ResponseVersion version, ByteView body) {
  Bytes out = to_bytes(encode_response_head(version));
  wire::append_snappy_frames(out, body);
  return out;
}

}  // namespace libp2p::payload_by_number
