// A channel against OpenSSL as another program uses it: what other peers of TLS may do and the suite's two channels of
// one kind do not.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "libp2p/protocols/tls/forged_certificate_test.hpp"
#include "libp2p/security/tls/channel.hpp"

namespace libp2p::tls::test {
namespace {

struct RawOptions {
  bool dials = true;
  int highest = TLS1_3_VERSION;
  bool has_certificate = true;
  Forgery certificate = {};
  std::string alpn = "\x06libp2p";  // empty: none
  std::size_t tickets = 0;
};

struct FreeRaw {
  void operator()(SSL_CTX* settings) const { SSL_CTX_free(settings); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsPeers : public testing::Test {
 protected:
  // The other program, and a channel of ours of the other role.
  void meet(const RawOptions& options, std::optional<PeerId> expected = std::nullopt) {
    options_ = options;
    wire_.clear();
    failure_.reset();
    raw_settings_.reset(
        SSL_CTX_new_ex(world_->context(), nullptr, options.dials ? TLS_client_method() : TLS_server_method()));
    SSL_CTX* const settings = raw_settings_.get();
    SSL_CTX_set_max_proto_version(settings, options.highest);
    SSL_CTX_set_num_tickets(settings, options.tickets);
    SSL_CTX_set_verify(settings, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(settings, [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
    if (options.has_certificate) {
      const auto shown = forge(their_identity_, options.certificate, *world_);
      SSL_CTX_use_certificate(settings, shown.form.get());
      SSL_CTX_use_PrivateKey(settings, shown.key.get());
    }
    const auto choose = [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned,
                           void* self) {
      const auto& ours = static_cast<TlsPeers*>(self)->options_.alpn;
      *out = reinterpret_cast<const unsigned char*>(ours.data() + 1);
      *size = static_cast<unsigned char>(ours[0]);
      return SSL_TLSEXT_ERR_OK;
    };
    if (!options.dials && !options.alpn.empty()) SSL_CTX_set_alpn_select_cb(settings, choose, this);
    raw_.reset(SSL_new(settings));
    if (options.dials && !options.alpn.empty())
      SSL_set_alpn_protos(raw_.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                          static_cast<unsigned>(options.alpn.size()));
    SSL_set_bio(raw_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (options.dials)
      SSL_set_connect_state(raw_.get());
    else
      SSL_set_accept_state(raw_.get());
    const auto settings_of_ours = Settings::make(our_identity_, rng_).value();
    channel_ =
        TlsChannel::make(settings_of_ours,
                         {options.dials ? Role::listener : Role::dialer, std::move(expected), {"/yamux/1.0.0"}, kNow})
            .value();
    for (int i = 0; i < 10 && !failure_; ++i) {
      ERR_clear_error();
      SSL_do_handshake(raw_.get());
      from_raw();
      while (!failure_ && !channel_->established()) {
        const auto taken = channel_->on_handshake(wire_);
        if (!taken) failure_ = taken.error();
        if (!taken || *taken == 0) break;
        wire_.erase(wire_.begin(), wire_.begin() + static_cast<std::ptrdiff_t>(*taken));
      }
      to_raw(channel_->take_handshake_output());
    }
    if (failure_) {  // the other program reads our alert
      char byte = 0;
      ERR_clear_error();
      SSL_read(raw_.get(), &byte, 1);
      const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
      alert_ = reason == nullptr ? "" : reason;
    }
  }

  void from_raw() {
    Bytes some(65536);
    for (int size = 0; (size = BIO_read(SSL_get_wbio(raw_.get()), some.data(), static_cast<int>(some.size()))) > 0;)
      append(wire_, ByteView(some).first(static_cast<std::size_t>(size)));
  }
  void to_raw(ByteView bytes) {
    if (!bytes.empty()) BIO_write(SSL_get_rbio(raw_.get()), bytes.data(), static_cast<int>(bytes.size()));
  }

  // What the raw peer writes, as it arrives here.
  std::string heard_from_raw(std::string_view text) {
    if (!text.empty()) SSL_write(raw_.get(), text.data(), static_cast<int>(text.size()));
    from_raw();
    std::string out;
    while (true) {
      const auto opened = channel_->open(wire_);
      if (!opened) failure_ = opened.error();
      if (!opened || opened->taken == 0) return out;
      out += as_text(opened->plain);
      ended_ = ended_ || opened->ended;
      wire_.erase(wire_.begin(), wire_.begin() + static_cast<std::ptrdiff_t>(opened->taken));
    }
  }
  std::string heard_by_raw(std::string_view text) {
    Bytes output(1024);
    output.resize(channel_->poll_output(output));
    to_raw(output);
    if (!text.empty()) {
      Bytes message(text.size() + channel_->overhead());
      std::copy(text.begin(), text.end(), message.begin() + static_cast<std::ptrdiff_t>(channel_->header_size()));
      message.resize(channel_->seal(message, text.size()).value());
      to_raw(message);
    }
    std::string out(65536, '\0');
    const int size = SSL_read(raw_.get(), out.data(), static_cast<int>(out.size()));
    out.resize(static_cast<std::size_t>(std::max(size, 0)));
    return out;
  }
  void expect_both_ways() {
    ASSERT_TRUE(!failure_ && channel_->established()) << (failure_ ? failure_->message() : "not established");
    EXPECT_EQ(heard_from_raw("hello"), "hello");
    EXPECT_EQ(heard_by_raw("answer"), "answer");
    channel_->check();
  }

  SeededRng rng_{1};
  std::shared_ptr<OpenSslWorld> world_ = OpenSslWorld::make(rng_).value();
  const crypto::PrivateKey our_identity_ = identity_key(5);
  const crypto::PrivateKey their_identity_ = identity_key(6);
  RawOptions options_;
  std::unique_ptr<SSL_CTX, FreeRaw> raw_settings_;
  std::unique_ptr<SSL, FreeRaw> raw_;
  std::unique_ptr<SecureChannel> channel_;
  Bytes wire_;  // to us
  std::optional<Error> failure_;
  std::string alert_;
  bool ended_ = false;
};

TEST_F(TlsPeers, of_either_role_are_understood) {
  for (const bool dials : {true, false}) {
    meet({.dials = dials});
    expect_both_ways();
    EXPECT_EQ(channel_->remote_key(), their_identity_.public_key());
    EXPECT_EQ(channel_->early_muxer(), "") << "the peer named libp2p alone";
    meet({.dials = dials, .alpn = "\x0c/yamux/1.0.0"});
    expect_both_ways();
    EXPECT_EQ(channel_->early_muxer(), "/yamux/1.0.0");
  }
}

TEST_F(TlsPeers, with_certificates_of_any_kind_are_understood) {
  for (const char* key : {"P-384", "ED25519", "RSA"}) {
    meet({.certificate = {.key = key}});
    expect_both_ways();
  }
}

TEST_F(TlsPeers, without_a_certificate_are_refused) {
  meet({.has_certificate = false});
  ASSERT_TRUE(failure_);
  EXPECT_NE(failure_->text().find("peer did not return a certificate"), std::string::npos) << failure_->message();
  EXPECT_NE(alert_.find("certificate required"), std::string::npos) << alert_;
}

TEST_F(TlsPeers, of_tls_1_2_are_refused) {
  meet({.dials = true, .highest = TLS1_2_VERSION});
  EXPECT_TRUE(failure_);
  meet({.dials = false, .highest = TLS1_2_VERSION});
  EXPECT_FALSE(channel_->established());
}

TEST_F(TlsPeers, that_name_no_protocol_are_refused) {
  for (const bool dials : {true, false}) {
    meet({.dials = dials, .alpn = ""});
    ASSERT_TRUE(failure_) << dials;
    EXPECT_EQ(failure_->text(), "the peer does not speak libp2p over TLS: it names no protocol (ALPN)");
  }
  meet({.alpn = "\x02h2"});
  ASSERT_TRUE(failure_);
  EXPECT_NE(alert_.find("no application protocol"), std::string::npos) << alert_;
}

TEST_F(TlsPeers, with_a_bad_certificate_hear_an_alert_and_we_say_why) {
  meet({.certificate = {.until = 1'750'000'000}});
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->text(), "the certificate has expired; check the clocks of both machines");
  EXPECT_FALSE(alert_.empty());
  meet({.dials = false}, PeerId::from_public_key(our_identity_.public_key()));
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->code(), Errc::mismatch);
  EXPECT_NE(failure_->text().find(PeerId::from_public_key(their_identity_.public_key()).to_base58()),
            std::string::npos);
}

TEST_F(TlsPeers, may_give_tickets_which_nobody_keeps) {
  meet({.dials = false, .tickets = 2});
  EXPECT_EQ(heard_from_raw(""), "") << "the tickets are taken and are no data";
  EXPECT_TRUE(wire_.empty());
  expect_both_ways();
}

TEST_F(TlsPeers, may_change_the_keys_and_ask_for_it) {
  meet({});
  for (const int ask : {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED}) {
    ASSERT_EQ(SSL_key_update(raw_.get(), ask), 1);
    EXPECT_EQ(heard_from_raw("after"), "after");
    EXPECT_EQ(channel_->wants_output(), ask == SSL_KEY_UPDATE_REQUESTED);
    expect_both_ways();
  }
}

TEST_F(TlsPeers, end_a_connection_in_order_on_either_side) {
  meet({});
  SSL_shutdown(raw_.get());
  EXPECT_EQ(heard_from_raw(""), "");
  EXPECT_TRUE(ended_);
  EXPECT_EQ(heard_by_raw("more"), "more") << "the other direction is still open";
  channel_->close();
  EXPECT_TRUE(channel_->wants_output());
  EXPECT_EQ(heard_by_raw(""), "");
  EXPECT_NE(SSL_get_shutdown(raw_.get()) & SSL_RECEIVED_SHUTDOWN, 0);
}

TEST_F(TlsPeers, send_records_of_every_size) {
  meet({});
  for (const std::size_t size : {1, 2, 100, 16383, 16384}) {
    const std::string text(size, 'x');
    EXPECT_EQ(heard_from_raw(text), text);
    EXPECT_EQ(heard_by_raw(text), text);
  }
}

TEST_F(TlsPeers, that_ask_for_new_keys_and_read_no_answer_are_cut_off) {
  meet({});
  int asked = 0;
  for (; asked < 1000 && !failure_; ++asked) {
    ASSERT_EQ(SSL_key_update(raw_.get(), SSL_KEY_UPDATE_REQUESTED), 1);
    heard_from_raw("x");
  }
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->code(), Errc::exhausted);
  EXPECT_GT(asked, 20) << "an honest peer that is ahead of its reading";
}

}  // namespace
}  // namespace libp2p::tls::test
