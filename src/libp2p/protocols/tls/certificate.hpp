// The certificate that a libp2p peer shows in TLS: self-signed, with the peer's identity key and its signature over the
// certificate's key in an extension (libp2p specs, tls, "Peer Authentication").
//
// What is made: a new P-256 key, valid from 1975 to 4096, serial number and names without meaning. What is taken: one
// certificate, valid at the given time, signed by its own key, without a critical extension that is not known here,
// with the libp2p extension once, and its signature by the identity key. Unique ids are refused. Pure but for entropy,
// which the world's Rng gives. Thread: any that owns the world.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <span>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/protocols/tls/openssl_world.hpp"

namespace libp2p::tls {

struct FreeOpenSsl {
  void operator()(EVP_PKEY* key) const;
  void operator()(X509* certificate) const;
};
using CertificateKey = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;
using CertificateForm = std::unique_ptr<X509, FreeOpenSsl>;

struct Certificate {
  CertificateKey key;
  CertificateForm form;

  Bytes to_der() const;
};

// For one identity; good for any number of connections.
Result<Certificate> make_certificate(const crypto::PrivateKey& identity, OpenSslWorld& world);

// Strict DER, nothing behind it. Errc::malformed, or Errc::too_large above 32 KiB.
Result<CertificateForm> read_certificate(ByteView der, OpenSslWorld& world);

// The identity that a certificate proves. Errc::malformed for what breaks a rule of it, Errc::denied when it is not
// valid at `now`, Errc::mismatch for a signature that is not right.
Result<crypto::PublicKey> verify_certificate(X509& certificate, UnixTime now);
// The same of a chain in DER, which must be one certificate.
Result<crypto::PublicKey> verify_chain(std::span<const Bytes> chain, UnixTime now, OpenSslWorld& world);

}  // namespace libp2p::tls
