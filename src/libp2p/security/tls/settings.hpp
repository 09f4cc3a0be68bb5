// What the TLS channels of one host share: its certificate, and OpenSSL's settings for either role. TLS 1.3 alone, no
// session is kept, and a peer without a certificate is refused.
//
// Owner: the security kind and its channels. Thread: the network thread. Bounds: none of its own.
#pragma once

#include <openssl/types.h>

#include <memory>

#include "libp2p/protocols/tls/certificate.hpp"
#include "libp2p/seams/secure_channel.hpp"

namespace libp2p::tls {

struct FreeSettings {
  void operator()(SSL_CTX* settings) const;
};

struct Settings {
  std::shared_ptr<OpenSslWorld> world;
  Certificate certificate;
  std::unique_ptr<SSL_CTX, FreeSettings> dialer;
  std::unique_ptr<SSL_CTX, FreeSettings> listener;

  static Result<std::shared_ptr<const Settings>> make(const crypto::PrivateKey& identity, Rng& rng);
};

}  // namespace libp2p::tls
