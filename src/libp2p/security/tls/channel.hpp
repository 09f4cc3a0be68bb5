// TLS 1.3 as a secure channel, on OpenSSL, which reads and writes memory alone. A record is taken whole or not at all.
// The muxer is settled by ALPN: the first of the dialer's that the listener has; "libp2p" leaves it to be negotiated.
//
// Owner: the connection engine, on its thread, without IO. Bounds: one record in; out, what a handshake says. Its
// certificate is looked at with the time at which the channel began. Specification: libp2p specs, tls; RFC 8446.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "libp2p/security/tls/settings.hpp"

namespace libp2p::tls {

inline constexpr std::string_view kProtocolId = "/tls/1.0.0";
inline constexpr std::size_t kHeader = 5;  // bytes, of a record
inline constexpr std::size_t kTag = 16;    // of all ciphers of TLS 1.3 that are offered
inline constexpr std::size_t kMaxPlain = 16 * 1024;
inline constexpr std::size_t kMaxRecord = kHeader + kMaxPlain + 256;

class TlsChannel final : public SecureChannel {
 public:
  // Errc::unsupported when OpenSSL has no room for one more.
  static Result<std::unique_ptr<SecureChannel>> make(std::shared_ptr<const Settings> settings, ChannelStart start);
  ~TlsChannel() override;

  std::string_view protocol() const override { return kProtocolId; }
  Result<std::size_t> on_handshake(ByteView in) override;
  Bytes take_handshake_output() override { return std::exchange(out_, {}); }
  bool established() const override { return established_; }
  const crypto::PublicKey& remote_key() const override {
    OPP2P_ASSERT(established_, "the peer's key is known once the channel is established");
    return *remote_key_;
  }
  const std::string& early_muxer() const override { return early_muxer_; }
  std::size_t header_size() const override { return kHeader; }
  std::size_t overhead() const override { return kHeader + 1 + kTag; }
  std::size_t max_plain() const override { return kMaxPlain; }
  std::size_t max_unread() const override { return kMaxRecord - 1; }
  Result<std::size_t> seal(MutableBytes message, std::size_t plain_size) override;
  Result<Opened> open(MutableBytes in) override;
  std::size_t poll_output(MutableBytes out) override;
  bool wants_output() const override;
  void close() override;
  void check() const override;

  // ---- what OpenSSL calls ----
  static void set_callbacks(SSL_CTX& settings, Role role);
  int read(char* to, int size);
  int write(const char* from, int size);

 private:
  TlsChannel(std::shared_ptr<const Settings> settings, ChannelStart start);
  Result<void> begin();
  bool verify(X509_STORE_CTX& store);
  Result<void> check_peer(X509_STORE_CTX& store);
  bool choose_alpn(ByteView offered, const unsigned char** chosen, unsigned char* size);
  Result<void> establish();
  Error why_failed(std::string_view what);
  bool owes_key_update() const;

  std::shared_ptr<const Settings> settings_;
  const ChannelStart start_;
  Bytes alpn_;  // what we offer, each behind its length
  SSL* ssl_ = nullptr;
  ByteView in_;          // of the record that OpenSSL reads
  Bytes out_;            // what OpenSSL wrote outside of seal()
  MutableBytes sealed_;  // where seal() wants it
  std::size_t sealed_size_ = 0;
  bool sealing_ = false;
  std::optional<Error> refused_;  // why the peer's certificate was
  std::optional<crypto::PublicKey> remote_key_;
  std::string early_muxer_;
  bool established_ = false;
};

}  // namespace libp2p::tls
