// The OP Stack's request and response `payload_by_number` as bytes. A request is a block number; an answer is a result
// code and, when that is 0, a version and the payload in snappy's framing format until the end of the stream. Three
// parts: the request, a decoder that takes an answer in pieces, and the answer, whose frames a server may have lying
// ready.
//
// Owner: one exchange. Thread: any, one at a time. Bounds: the decoder holds at most its decompressed limit and one
// snappy chunk. Source: specs/protocol/rollup-node-p2p.md, "payload_by_number", with the
// deviations of op-node: no trailing slash in the protocol id, versions 0 and 1 only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "opstack/encoding/snappy_frame.hpp"

namespace opstack::sync::wire {

// "/opstack/req/payload_by_number/10/0"; the chain id in decimal.
std::string protocol_id(std::string_view chain_id);

inline constexpr std::size_t kRequestSize = 8;
inline constexpr std::size_t kMaxCompressed = 10 << 20;    // bytes after code and version
inline constexpr std::size_t kMaxDecompressed = 10 << 20;  // bytes of the payload

enum class ResultCode : std::uint8_t {
  success = 0,
  not_found = 1,        // a fair question, no such block here
  invalid_request = 2,  // below genesis or beyond what time allows
  other = 3,            // throttled, request unreadable, or the server failed
};
std::string_view to_string(ResultCode code);

// What the payload bytes are. 0: the payload alone (V1, V2). 1: parent beacon block root and payload (V3, V4).
enum class ResponseVersion : std::uint32_t { payload = 0, envelope = 1 };

libp2p::ByteArray<kRequestSize> encode_request(std::uint64_t number);
// Exactly eight bytes; Errc::truncated for fewer, Errc::malformed for more.
libp2p::Result<std::uint64_t> decode_request(libp2p::ByteView request);

// Reads an answer in pieces of any size.
class ResponseDecoder {
 public:
  explicit ResponseDecoder(std::size_t max_compressed = kMaxCompressed,
                           std::size_t max_decompressed = kMaxDecompressed);

  // Errc::unsupported for an unknown version, Errc::too_large beyond a limit, Errc::malformed for broken frames; after
  // an error every call answers the same one. Offsets count from the first byte of the answer. When code() is not
  // success everything that follows is ignored.
  libp2p::Result<void> push(libp2p::ByteView piece);
  // The stream has ended. Errc::truncated when no whole answer had come by then.
  libp2p::Result<void> finish();

  // There once the first byte has come. Codes above 3 are errors of the server like 3.
  std::optional<std::uint8_t> code() const { return code_; }
  // The server has said no: there is nothing more to read.
  bool refused() const { return code_ && *code_ != 0; }
  std::optional<ResponseVersion> version() const { return version_; }
  const libp2p::Bytes& body() const { return body_; }
  libp2p::Bytes take_body() { return std::move(body_); }

  // Every invariant, by assertion.
  void check() const;

 private:
  libp2p::Result<void> broken(libp2p::Error error);

  opstack::encoding::SnappyFrameDecoder frames_;
  std::optional<std::uint8_t> code_;
  std::uint8_t version_bytes_[4] = {};
  std::size_t version_filled_ = 0;
  std::optional<ResponseVersion> version_;
  libp2p::Bytes body_;
  std::optional<libp2p::Error> failed_;
};

// What comes before the frames in a successful answer.
libp2p::ByteArray<5> encode_response_head(ResponseVersion version);

// A whole successful answer: the head and the frames of `body`.
libp2p::Bytes encode_response(ResponseVersion version, libp2p::ByteView body);

// The whole answer to a request that is not served.
inline libp2p::Bytes encode_refusal(ResultCode code) { return libp2p::Bytes{static_cast<std::uint8_t>(code)}; }

}  // namespace opstack::sync::wire
