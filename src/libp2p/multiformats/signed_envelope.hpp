// Signed envelopes (libp2p RFC 0002): a payload with its type, signed by an identity key for one domain. A signature
// for one domain is not valid for another. A value that exists only with a valid signature. At most kMaxEnvelopeSize
// bytes on the wire.
#pragma once

#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/crypto/keys.hpp"

namespace libp2p::multiformats {

inline constexpr std::size_t kMaxEnvelopeSize = 64 * 1024;

class SignedEnvelope {
 public:
  // Errc::invalid_argument for an empty domain or payload type; Errc::too_large when it would not be opened again.
  static Result<SignedEnvelope> seal(const crypto::PrivateKey& key, std::string_view domain, ByteView payload_type,
                                     ByteView payload);
  // Reads an Envelope protobuf message and verifies it: Errc::mismatch when the signature is not over this domain, type
  // and payload. The payload's meaning is the caller's to check, and that the signer may say so.
  static Result<SignedEnvelope> open(ByteView wire, std::string_view domain);

  const crypto::PublicKey& signer() const { return signer_; }
  ByteView payload_type() const { return payload_type_; }
  ByteView payload() const { return payload_; }
  ByteView signature() const { return signature_; }
  // The Envelope message, in its deterministic encoding.
  Bytes encode() const;

 private:
  SignedEnvelope(crypto::PublicKey signer, Bytes payload_type, Bytes payload, Bytes signature)
      : signer_(std::move(signer)),
        payload_type_(std::move(payload_type)),
        payload_(std::move(payload)),
        signature_(std::move(signature)) {}

  crypto::PublicKey signer_;
  Bytes payload_type_;
  Bytes payload_;
  Bytes signature_;
};

}  // namespace libp2p::multiformats
