#include "libp2p/crypto/hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>

namespace libp2p::crypto {
namespace {

struct DigestContext {
  EVP_MD_CTX* handle;

  explicit DigestContext(const EVP_MD* algorithm) : handle(EVP_MD_CTX_new()) {
    if (handle == nullptr || EVP_DigestInit_ex2(handle, algorithm, nullptr) != 1) {
      EVP_MD_CTX_free(handle);
      throw std::runtime_error("the crypto library cannot start a digest: out of memory or a broken installation");
    }
  }
  ~DigestContext() { EVP_MD_CTX_free(handle); }
  DigestContext(const DigestContext&) = delete;
  DigestContext& operator=(const DigestContext&) = delete;

  // A fetched digest over plain memory has no way to fail once its context stands.
  void update(ByteView data) { EVP_DigestUpdate(handle, data.data(), data.size()); }
  void finish(std::uint8_t* out) {
    EVP_DigestFinal_ex(handle, out, nullptr);
    EVP_DigestInit_ex2(handle, nullptr, nullptr);
  }
};

// Fetching an algorithm searches the providers under a lock; the result never changes, so it is done once per process.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}
const EVP_MD* sha512_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  return algorithm;
}

// Scratch memory of one thread: between two calls it holds no message, so nothing can be observed through it. A fresh
// context for each short message would triple the price of a message id.
DigestContext& scratch_sha256() {
  thread_local DigestContext context(sha256_algorithm());
  return context;
}
DigestContext& scratch_sha512() {
  thread_local DigestContext context(sha512_algorithm());
  return context;
}

}  // namespace

Hash256 sha256(ByteView data) {
  Hash256 out;
  auto& context = scratch_sha256();
  context.update(data);
  context.finish(out.data());
  return out;
}

ByteArray<64> sha512(ByteView data) {
  ByteArray<64> out;
  auto& context = scratch_sha512();
  context.update(data);
  context.finish(out.data());
  return out;
}

struct Sha256::Context : DigestContext {
  Context() : DigestContext(sha256_algorithm()) {}
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::update(ByteView data) {
  context_->update(data);
  return *this;
}

Hash256 Sha256::finish() {
  Hash256 out;
  context_->finish(out.data());
  return out;
}

namespace {

// The two padded keys of HMAC (RFC 2104), wiped when they go.
class HmacKey {
 public:
  explicit HmacKey(ByteView key) {
    ByteArray<kBlock> padded{};
    if (key.size() > kBlock) {
      const auto digest = sha256(key);
      std::copy(digest.begin(), digest.end(), padded.begin());
    } else {
      std::copy(key.begin(), key.end(), padded.begin());
    }
    for (std::size_t i = 0; i < kBlock; ++i) {
      inner_[i] = padded[i] ^ 0x36;
      outer_[i] = padded[i] ^ 0x5c;
    }
    OPENSSL_cleanse(padded.data(), padded.size());
  }
  ~HmacKey() {
    OPENSSL_cleanse(inner_.data(), inner_.size());
    OPENSSL_cleanse(outer_.data(), outer_.size());
  }
  HmacKey(const HmacKey&) = delete;
  HmacKey& operator=(const HmacKey&) = delete;

  Hash256 over(std::initializer_list<ByteView> parts) const {
    auto& context = scratch_sha256();
    Hash256 out;
    context.update(inner_);
    for (const auto part : parts) context.update(part);
    context.finish(out.data());
    context.update(outer_);
    context.update(out);
    context.finish(out.data());
    return out;
  }

 private:
  static constexpr std::size_t kBlock = 64;
  ByteArray<kBlock> inner_;
  ByteArray<kBlock> outer_;
};

}  // namespace

Hash256 hmac_sha256(ByteView key, ByteView data) { return HmacKey(key).over({data}); }

void hkdf_sha256(ByteView salt, ByteView input_key, ByteView info, MutableBytes out) {
  if (out.size() > std::size_t{255} * 32) throw std::length_error("HKDF with SHA-256 gives at most 8160 bytes");
  auto pseudo_random_key = hmac_sha256(salt, input_key);
  const HmacKey key(pseudo_random_key);
  OPENSSL_cleanse(pseudo_random_key.data(), pseudo_random_key.size());
  Hash256 block{};
  std::size_t previous = 0;  // the first block has no predecessor
  for (std::uint8_t counter = 1; !out.empty(); ++counter) {
    block = key.over({ByteView(block).first(previous), info, ByteView(&counter, 1)});
    previous = block.size();
    const std::size_t n = std::min(block.size(), out.size());
    std::copy_n(block.begin(), n, out.begin());
    out = out.subspan(n);
  }
  OPENSSL_cleanse(block.data(), block.size());
}

}  // namespace libp2p::crypto
