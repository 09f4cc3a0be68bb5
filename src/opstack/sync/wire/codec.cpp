#include "opstack/sync/wire/codec.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opstack::sync::wire {
namespace {

constexpr std::size_t kHeadSize = 5;

}  // namespace

std::string protocol_id(std::string_view chain_id) {
  return "/opstack/req/payload_by_number/" + std::string(chain_id) + "/0";
}

std::string_view to_string(ResultCode code) {
  switch (code) {
    case ResultCode::success: return "success";
    case ResultCode::not_found: return "not found";
    case ResultCode::invalid_request: return "invalid request";
    case ResultCode::other: return "other error";
  }
  return "unknown code";
}

libp2p::ByteArray<kRequestSize> encode_request(std::uint64_t number) {
  libp2p::ByteArray<kRequestSize> out;
  libp2p::store_le64(out.data(), number);
  return out;
}

libp2p::Result<std::uint64_t> decode_request(libp2p::ByteView request) {
  if (request.size() < kRequestSize)
    return libp2p::Error::at(request.size(), libp2p::Errc::truncated,
                             "a request is 8 bytes, this one has " + std::to_string(request.size()));
  if (request.size() > kRequestSize)
    return libp2p::Error::at(kRequestSize, libp2p::Errc::malformed,
                             "a request is 8 bytes, this one has " + std::to_string(request.size()));
  return libp2p::load_le64(request.data());
}

ResponseDecoder::ResponseDecoder(std::size_t max_compressed, std::size_t max_decompressed)
    : frames_(max_decompressed, max_compressed) {}

libp2p::Result<void> ResponseDecoder::broken(libp2p::Error error) {
  failed_ = error;
  body_ = libp2p::Bytes{};
  return error;
}

libp2p::Result<void> ResponseDecoder::push(libp2p::ByteView piece) {
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
    const std::uint32_t version = libp2p::load_le32(version_bytes_);
    if (version > 1)
      return broken(
          libp2p::Error::at(1, libp2p::Errc::unsupported,
                            "response version " + std::to_string(version) + " is unknown, 0 and 1 are in use"));
    version_ = static_cast<ResponseVersion>(version);
  }
  if (piece.empty()) return {};
  if (auto done = frames_.push(piece, body_); !done) {
    const libp2p::Error& inner = done.error();
    return broken(inner.offset() ? libp2p::Error::at(kHeadSize + *inner.offset(), inner.code(), inner.text()) : inner);
  }
  return {};
}

libp2p::Result<void> ResponseDecoder::finish() {
  if (failed_) return *failed_;
  if (!code_) return broken(libp2p::Error::at(0, libp2p::Errc::truncated, "the answer is empty"));
  if (*code_ != 0) return {};
  if (!version_)
    return broken(
        libp2p::Error::at(1 + version_filled_, libp2p::Errc::truncated, "the answer ends within its version"));
  if (auto done = frames_.finish(); !done) {
    const libp2p::Error& inner = done.error();
    return broken(inner.offset() ? libp2p::Error::at(kHeadSize + *inner.offset(), inner.code(), inner.text()) : inner);
  }
  if (body_.empty())
    return broken(libp2p::Error::at(kHeadSize, libp2p::Errc::truncated, "the answer holds no payload"));
  return {};
}

void ResponseDecoder::check() const {
  frames_.check();
  OPP2P_CHECK(version_filled_ <= 4 && (!version_ || version_filled_ == 4), "a version has four bytes", version_filled_);
  OPP2P_CHECK(version_filled_ == 0 || code_ == 0, "a version follows the code of success", version_filled_, code_);
  OPP2P_CHECK(version_ || frames_.consumed() == 0, "frames follow a version that is known", frames_.consumed());
  OPP2P_CHECK(body_.empty() || (!failed_ && body_.size() == frames_.produced()),
              "the body is what the frames gave, and goes with an error", body_, frames_.produced());
}

libp2p::ByteArray<5> encode_response_head(ResponseVersion version) {
  libp2p::ByteArray<kHeadSize> out{};
  libp2p::store_le32(out.data() + 1, static_cast<std::uint32_t>(version));
  return out;
}

libp2p::Bytes encode_response(ResponseVersion version, libp2p::ByteView body) {
  libp2p::Bytes out = libp2p::to_bytes(encode_response_head(version));
  opstack::encoding::append_snappy_frames(out, body);
  return out;
}

}  // namespace opstack::sync::wire
