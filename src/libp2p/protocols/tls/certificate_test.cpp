#include "libp2p/protocols/tls/certificate.hpp"

#include <gtest/gtest.h>

#include "libp2p/protocols/tls/forged_certificate_test.hpp"

namespace libp2p::tls::test {
namespace {

using crypto::KeyType;

class TlsCertificate : public testing::Test {
 protected:
  Result<crypto::PublicKey> verdict(const Forgery& how, UnixTime now = kNow) {
    const std::vector<Bytes> chain = {forge(identity_, how, *world_).to_der()};
    return verify_chain(chain, now, *world_);
  }

  SeededRng rng_{1};
  std::shared_ptr<OpenSslWorld> world_ = OpenSslWorld::make(rng_).value();
  const crypto::PrivateKey identity_ = identity_key(5);
};

TEST_F(TlsCertificate, proves_the_identity_that_made_it) {
  for (const KeyType type : {KeyType::ed25519, KeyType::secp256k1}) {
    const auto identity = identity_key(2, type);
    const auto made = make_certificate(identity, *world_);
    ASSERT_TRUE(made) << made.error().message();
    const std::vector<Bytes> chain = {made->to_der()};
    EXPECT_EQ(verify_chain(chain, kNow, *world_).value(), identity.public_key());
  }
}

TEST_F(TlsCertificate, comes_of_its_entropy_alone) {
  const auto made = [this](std::uint64_t seed) {
    SeededRng rng(seed);
    world_->draw_from(rng);
    return make_certificate(identity_, *world_)->to_der();
  };
  EXPECT_EQ(to_hex(made(3)), to_hex(made(3)));
  EXPECT_NE(to_hex(made(3)), to_hex(made(4)));
}

TEST_F(TlsCertificate, may_have_a_key_of_any_kind_that_tls_has) {
  for (const char* key : {"P-256", "P-384", "P-521", "ED25519", "RSA"}) {
    const auto found = verdict({.key = key});
    EXPECT_TRUE(found && *found == identity_.public_key()) << key << (found ? "" : found.error().message());
  }
  for (const EVP_MD* digest : {EVP_sha384(), EVP_sha512()}) EXPECT_TRUE(verdict({.digest = digest}));
  EXPECT_TRUE(verdict({.critical = true}));
}

TEST_F(TlsCertificate, of_a_broken_digest_is_refused) {
  for (const EVP_MD* digest : {EVP_sha1(), EVP_md5()}) {
    const auto found = verdict({.digest = digest});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Errc::malformed) << found.error().message();
  }
}

TEST_F(TlsCertificate, is_valid_from_its_first_to_its_last_second) {
  EXPECT_TRUE(verdict({.from = 1'800'000'000, .until = 1'800'000'000}));
  const auto early = verdict({.from = 1'800'000'001});
  EXPECT_EQ(early.error().code(), Errc::denied);
  EXPECT_NE(early.error().text().find("not valid yet"), std::string::npos);
  const auto late = verdict({.until = 1'799'999'999});
  EXPECT_NE(late.error().text().find("expired"), std::string::npos);
}

TEST_F(TlsCertificate, with_unique_ids_is_refused) {
  const auto made = forge(identity_, {}, *world_);
  std::vector<Bytes> chain = {with_unique_id(made, *world_)};
  const auto found = verify_chain(chain, kNow, *world_);
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().text().find("unique ids"), std::string::npos) << found.error().message();
}

TEST_F(TlsCertificate, with_a_critical_extension_that_nobody_knows_is_refused) {
  EXPECT_EQ(verdict({.other_critical = "1.2.3.4"}).error().text(),
            "the certificate has the critical extension 1.2.3.4, which is not known here");
  EXPECT_EQ(verdict({.without_extension = true}).error().text(), "the certificate has no extension of libp2p");
}

// Every part of the extension is looked at: each change of it, of one bit or in length, is seen.
TEST_F(TlsCertificate, with_a_changed_extension_is_refused) {
  Bytes value;
  ASSERT_TRUE(verdict({.change = [&value](Bytes& signed_key) { value = signed_key; }}));
  for (std::size_t at = 0; at < value.size(); ++at)
    EXPECT_FALSE(verdict({.change = [at](Bytes& signed_key) { signed_key[at] ^= 1; }})) << at;
  EXPECT_FALSE(verdict({.change = [](Bytes& signed_key) { signed_key.pop_back(); }}));
  EXPECT_FALSE(verdict({.change = [](Bytes& signed_key) { signed_key.push_back(0); }}));
  EXPECT_FALSE(verdict({.change = [](Bytes& signed_key) { signed_key.clear(); }}));
  EXPECT_FALSE(verdict({.change = [](Bytes& signed_key) {
    Bytes content = to_bytes(first_of(signed_key).content);
    append(content, tlv(0x04, Bytes{1}));
    signed_key = tlv(0x30, content);
  }})) << "three octet strings";
}

TEST_F(TlsCertificate, is_one_and_alone) {
  const Bytes good = forge(identity_, {}, *world_).to_der();
  EXPECT_FALSE(verify_chain({}, kNow, *world_));
  const std::vector<Bytes> two = {good, good};
  EXPECT_EQ(verify_chain(two, kNow, *world_).error().text(), "a peer of libp2p shows one certificate, not 2");
  std::vector<Bytes> longer = {good};
  longer[0].push_back(0);
  EXPECT_EQ(verify_chain(longer, kNow, *world_).error().text(), "the certificate has bytes behind its end");
  const std::vector<Bytes> huge = {Bytes(33 * 1024)};
  EXPECT_EQ(verify_chain(huge, kNow, *world_).error().code(), Errc::too_large);
  const std::vector<Bytes> none = {Bytes{}};
  EXPECT_EQ(verify_chain(none, kNow, *world_).error().code(), Errc::malformed);
}

TEST_F(TlsCertificate, signed_by_another_key_is_refused) {
  auto made = forge(identity_, {}, *world_);
  const CertificateKey other(EVP_PKEY_Q_keygen(world_->context(), nullptr, "EC", "P-256"));
  X509_sign(made.form.get(), other.get(), EVP_sha256());
  const std::vector<Bytes> chain = {made.to_der()};
  EXPECT_EQ(verify_chain(chain, kNow, *world_).error().code(), Errc::mismatch);
}

}  // namespace
}  // namespace libp2p::tls::test
