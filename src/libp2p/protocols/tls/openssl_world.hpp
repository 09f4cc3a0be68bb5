// OpenSSL with entropy from an Rng: a library context of its own, whose generator asks the Rng that it was given last.
// What uses this context is as reproducible as its Rng. Certificates and the channels of one host share a world.
//
// Owner: the security kind. Thread: the network thread. Bounds: OpenSSL's own tables. OpenSSL notes the time of a
// session when it begins; nothing here is decided by that.
#pragma once

#include <openssl/types.h>

#include <memory>

#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"

namespace libp2p::tls {

class OpenSslWorld {
 public:
  // Errc::unsupported when this OpenSSL does not take a generator.
  static Result<std::shared_ptr<OpenSslWorld>> make(Rng& rng);
  ~OpenSslWorld();
  OpenSslWorld(const OpenSslWorld&) = delete;
  OpenSslWorld& operator=(const OpenSslWorld&) = delete;

  OSSL_LIB_CTX* context() const { return context_; }
  // From now on entropy comes from here. It lives as long as what uses the world.
  void draw_from(Rng& rng) { rng_ = &rng; }
  Rng& rng() { return *rng_; }

 private:
  explicit OpenSslWorld(Rng& rng);
  Result<void> open();

  Rng* rng_;
  OSSL_LIB_CTX* context_ = nullptr;
  OSSL_PROVIDER* entropy_ = nullptr;
  OSSL_PROVIDER* algorithms_ = nullptr;
};

// "why: OpenSSL's reason", and the thread's queue of errors is empty again.
Error openssl_error(Errc code, std::string_view why);

}  // namespace libp2p::tls
