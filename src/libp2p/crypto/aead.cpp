#include "libp2p/crypto/aead.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>

namespace libp2p::crypto {
namespace {

constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kMaxStep = std::size_t{1} << 30;  // the library counts in int

const EVP_CIPHER* algorithm() {
  static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  return fetched;
}

// Gives `in` to the cipher; with `out` null as associated data.
bool feed(EVP_CIPHER_CTX* handle, std::uint8_t* out, ByteView in) {
  while (!in.empty()) {
    const std::size_t n = std::min(in.size(), kMaxStep);
    int written = 0;
    if (EVP_CipherUpdate(handle, out, &written, in.data(), static_cast<int>(n)) != 1) return false;
    if (out != nullptr) out += n;
    in = in.subspan(n);
  }
  return true;
}

}  // namespace

// One library context holds the key schedule for both directions; each message sets its nonce and its direction.
struct ChaCha20Poly1305::Context {
  EVP_CIPHER_CTX* handle = EVP_CIPHER_CTX_new();

  explicit Context(const ByteArray<kKeySize>& key) {
    if (handle == nullptr || EVP_CipherInit_ex2(handle, algorithm(), key.data(), nullptr, 1, nullptr) != 1) {
      EVP_CIPHER_CTX_free(handle);
      throw std::runtime_error("the crypto library cannot start ChaCha20-Poly1305: out of memory or no such cipher");
    }
  }
  ~Context() { EVP_CIPHER_CTX_free(handle); }  // wipes the key
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  bool begin(std::uint64_t nonce, bool encrypt) {
    ByteArray<kNonceSize> iv{};
    store_le64(iv.data() + 4, nonce);
    return EVP_CipherInit_ex2(handle, nullptr, nullptr, iv.data(), encrypt ? 1 : 0, nullptr) == 1;
  }
};

ChaCha20Poly1305::ChaCha20Poly1305(const ByteArray<kKeySize>& key) : context_(std::make_unique<Context>(key)) {}
ChaCha20Poly1305::~ChaCha20Poly1305() = default;
ChaCha20Poly1305::ChaCha20Poly1305(ChaCha20Poly1305&&) noexcept = default;
ChaCha20Poly1305& ChaCha20Poly1305::operator=(ChaCha20Poly1305&&) noexcept = default;

void ChaCha20Poly1305::seal(std::uint64_t nonce, ByteView associated, ByteView plain, MutableBytes out) {
  if (out.size() < plain.size() + kTagSize) throw std::length_error("no room for the cipher text and its tag");
  auto* const handle = context_->handle;
  int written = 0;
  const bool done = context_->begin(nonce, true) && feed(handle, nullptr, associated) &&
                    feed(handle, out.data(), plain) &&
                    EVP_CipherFinal_ex(handle, out.data() + plain.size(), &written) == 1 &&
                    EVP_CIPHER_CTX_ctrl(handle, EVP_CTRL_AEAD_GET_TAG, kTagSize, out.data() + plain.size()) == 1;
  // Sealing has no failure of its own. To go on with a buffer that may hold plain text would be worse than to stop.
  if (!done) throw std::runtime_error("the crypto library failed to seal a message (do `out` and `plain` overlap?)");
}

Result<std::size_t> ChaCha20Poly1305::open(std::uint64_t nonce, ByteView associated, ByteView sealed,
                                           MutableBytes out) {
  if (sealed.size() < kTagSize)
    return Error::at(sealed.size(), Errc::truncated, "sealed message is shorter than its tag");
  const std::size_t size = sealed.size() - kTagSize;
  if (out.size() < size) return fail(Errc::invalid_argument, "no room for the plain text");
  auto* const handle = context_->handle;
  // The tag is copied first: `out` may begin where `sealed` does, but the library wants a pointer that it may write to.
  ByteArray<kTagSize> tag;
  std::copy_n(sealed.data() + size, kTagSize, tag.data());
  ByteArray<kTagSize> rest;
  int written = 0;
  const bool right = context_->begin(nonce, false) &&
                     EVP_CIPHER_CTX_ctrl(handle, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1 &&
                     feed(handle, nullptr, associated) && feed(handle, out.data(), sealed.first(size)) &&
                     EVP_CipherFinal_ex(handle, rest.data(), &written) == 1;
  if (!right)
    return fail(Errc::mismatch, "message does not authenticate: wrong key, nonce, associated data or contents");
  return size;
}

}  // namespace libp2p::crypto
