#include "libp2p/security/tls/security.hpp"

#include <openssl/ssl.h>

#include <utility>

#include "libp2p/security/tls/channel.hpp"

namespace libp2p::tls {
namespace {

constexpr long kMostCertificateBytes = 32 * 1024;

std::unique_ptr<SSL_CTX, FreeSettings> settings_for(Role role, const Certificate& certificate, OpenSslWorld& world) {
  std::unique_ptr<SSL_CTX, FreeSettings> out(
      SSL_CTX_new_ex(world.context(), nullptr, role == Role::dialer ? TLS_client_method() : TLS_server_method()));
  if (!out) return nullptr;
  SSL_CTX* const settings = out.get();
  SSL_CTX_set_verify(settings, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_session_cache_mode(settings, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(settings, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_clear_options(settings, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
  SSL_CTX_set_mode(settings, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(settings, kMostCertificateBytes);
  TlsChannel::set_callbacks(*settings, role);
  const bool made = SSL_CTX_set_min_proto_version(settings, TLS1_3_VERSION) == 1 &&
                    SSL_CTX_set_ciphersuites(settings,
                                             "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:"
                                             "TLS_AES_256_GCM_SHA384") == 1 &&
                    SSL_CTX_set_num_tickets(settings, 0) == 1 &&
                    SSL_CTX_use_certificate(settings, certificate.form.get()) == 1 &&
                    SSL_CTX_use_PrivateKey(settings, certificate.key.get()) == 1;
  return made ? std::move(out) : nullptr;
}

Result<SecurityKind> make_kind(const crypto::PrivateKey& identity, Rng& rng) {
  OPP2P_TRY(const auto settings, Settings::make(identity, rng));
  return SecurityKind{kProtocolId, [settings](ChannelStart start, Rng& entropy) {
                        settings->world->draw_from(entropy);
                        return TlsChannel::make(settings, std::move(start));
                      }};
}

}  // namespace

void FreeSettings::operator()(SSL_CTX* settings) const { SSL_CTX_free(settings); }

Result<std::shared_ptr<const Settings>> Settings::make(const crypto::PrivateKey& identity, Rng& rng) {
  auto out = std::make_shared<Settings>();
  OPP2P_TRY(out->world, OpenSslWorld::make(rng));
  OPP2P_TRY(out->certificate, make_certificate(identity, *out->world));
  out->dialer = settings_for(Role::dialer, out->certificate, *out->world);
  out->listener = settings_for(Role::listener, out->certificate, *out->world);
  if (!out->dialer || !out->listener) return openssl_error(Errc::unsupported, "OpenSSL cannot speak TLS 1.3");
  return std::shared_ptr<const Settings>(std::move(out));
}

SecurityFactory security() { return {kProtocolId, &make_kind}; }

}  // namespace libp2p::tls
