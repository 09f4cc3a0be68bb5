#include "libp2p/security/tls/channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace libp2p::tls {
namespace {

constexpr std::size_t kMostOutput = 1024;        // bytes that wait, of what the channel itself has to say
constexpr std::string_view kNoMuxer = "libp2p";  // ALPN of a peer whose muxer is negotiated later

// Whole records with a plausible header; 0: not whole yet.
Result<std::size_t> record_size(ByteView in) {
  if (in.size() < kHeader) return std::size_t{0};
  constexpr std::uint8_t kFirstType = 20, kLastType = 23;  // change_cipher_spec to application_data
  if (in[0] < kFirstType || in[0] > kLastType || in[1] != 3)
    return Error(Errc::malformed, "no record of TLS: it begins with the bytes " + to_hex(in.first(2)));
  const std::size_t size = kHeader + (std::size_t{in[3]} << 8 | in[4]);
  if (size > kMaxRecord) return Error(Errc::too_large, "a record of TLS has " + std::to_string(size) + " bytes");
  return in.size() < size ? std::size_t{0} : size;
}

// ---- OpenSSL's view of a channel: a source and a sink of bytes ----

TlsChannel& channel_of(BIO* bio) { return *static_cast<TlsChannel*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  const int got = channel_of(bio).read(to, size);
  if (got < 0) BIO_set_retry_read(bio);
  return got;
}
int bio_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  return channel_of(bio).write(from, size);
}
long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* memory_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "channel");
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

TlsChannel& channel_of(const SSL* ssl) { return *static_cast<TlsChannel*>(SSL_get_app_data(ssl)); }

void add_alpn(Bytes& to, std::string_view id) {
  if (id.empty() || id.size() > 255) return;  // it cannot be offered
  to.push_back(static_cast<std::uint8_t>(id.size()));
  append(to, as_bytes(id));
}

// The ids of a list, each behind its length. OpenSSL has checked that of a peer.
std::vector<std::string_view> ids_of(ByteView list) {
  std::vector<std::string_view> out;
  while (!list.empty() && list[0] < list.size()) {
    out.push_back(as_text(list.subspan(1, list[0])));
    list = list.subspan(1 + std::size_t{list[0]});
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<SecureChannel>> TlsChannel::make(std::shared_ptr<const Settings> settings, ChannelStart start) {
  std::unique_ptr<TlsChannel> channel(new TlsChannel(std::move(settings), std::move(start)));
  OPP2P_TRYV(channel->begin());
  return std::unique_ptr<SecureChannel>(std::move(channel));
}

TlsChannel::TlsChannel(std::shared_ptr<const Settings> settings, ChannelStart start)
    : settings_(std::move(settings)), start_(std::move(start)) {}

TlsChannel::~TlsChannel() { SSL_free(ssl_); }

Result<void> TlsChannel::begin() {
  for (const auto& id : start_.muxers) add_alpn(alpn_, id);
  add_alpn(alpn_, kNoMuxer);
  const bool dials = start_.role == Role::dialer;
  ssl_ = SSL_new(dials ? settings_->dialer.get() : settings_->listener.get());
  BIO* const bio = ssl_ == nullptr ? nullptr : BIO_new(memory_method());
  if (bio == nullptr) return openssl_error(Errc::unsupported, "OpenSSL cannot begin a connection");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, this);
  if (!dials) {
    SSL_set_accept_state(ssl_);
    return {};
  }
  SSL_set_connect_state(ssl_);
  if (SSL_set_alpn_protos(ssl_, alpn_.data(), static_cast<unsigned>(alpn_.size())) != 0)
    return openssl_error(Errc::invalid_argument, "OpenSSL does not take the ids of the muxers");
  OPP2P_TRYV(on_handshake({}));  // the first message
  return {};
}

int TlsChannel::read(char* to, int size) {
  const auto count = std::min(in_.size(), static_cast<std::size_t>(size));
  if (count == 0) return -1;
  std::memcpy(to, in_.data(), count);
  in_ = in_.subspan(count);
  return static_cast<int>(count);
}

int TlsChannel::write(const char* from, int size) {
  const ByteView bytes(reinterpret_cast<const std::uint8_t*>(from), static_cast<std::size_t>(size));
  if (sealing_ && bytes.size() <= sealed_.size() - sealed_size_) {
    std::memcpy(sealed_.data() + sealed_size_, bytes.data(), bytes.size());
    sealed_size_ += bytes.size();
  } else {
    append(out_, bytes);
  }
  return size;
}

void TlsChannel::set_callbacks(SSL_CTX& settings, Role role) {
  const auto verify = [](X509_STORE_CTX* store, void*) {
    const auto* const ssl =
        static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    return channel_of(ssl).verify(*store) ? 1 : 0;
  };
  SSL_CTX_set_cert_verify_callback(&settings, verify, nullptr);
  if (role == Role::dialer) return;
  const auto choose = [](SSL* ssl, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                         unsigned offered_size, void*) {
    return channel_of(ssl).choose_alpn({offered, offered_size}, chosen, size) ? SSL_TLSEXT_ERR_OK
                                                                              : SSL_TLSEXT_ERR_ALERT_FATAL;
  };
  SSL_CTX_set_alpn_select_cb(&settings, choose, nullptr);
}

bool TlsChannel::verify(X509_STORE_CTX& store) {
  const auto checked = check_peer(store);
  if (checked) return true;
  refused_ = checked.error();
  X509_STORE_CTX_set_error(&store, X509_V_ERR_APPLICATION_VERIFICATION);
  return false;
}

Result<void> TlsChannel::check_peer(X509_STORE_CTX& store) {
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_untrusted(&store);
  X509* const certificate = X509_STORE_CTX_get0_cert(&store);
  if (certificate == nullptr || sk_X509_num(chain) != 1)
    return Error(Errc::malformed, "a peer of libp2p shows one certificate, not " + std::to_string(sk_X509_num(chain)));
  OPP2P_TRY(auto key, verify_certificate(*certificate, start_.now));
  const PeerId peer = PeerId::from_public_key(key);
  if (start_.expected && *start_.expected != peer)
    return Error(Errc::mismatch, "the peer is " + peer.to_base58() + ", not " + start_.expected->to_base58());
  remote_key_ = std::move(key);
  return {};
}

bool TlsChannel::choose_alpn(ByteView offered, const unsigned char** chosen, unsigned char* size) {
  const auto ours = ids_of(alpn_);
  for (const std::string_view id : ids_of(offered)) {
    if (std::find(ours.begin(), ours.end(), id) == ours.end()) continue;
    *chosen = as_bytes(id).data();
    *size = static_cast<unsigned char>(id.size());
    return true;
  }
  return false;
}

Error TlsChannel::why_failed(std::string_view what) {
  if (refused_) {
    ERR_clear_error();
    return *refused_;
  }
  return openssl_error(Errc::malformed, what);
}

Result<std::size_t> TlsChannel::on_handshake(ByteView in) {
  if (established_) return std::size_t{0};
  std::size_t size = 0;
  const bool first = in.empty() && start_.role == Role::dialer && SSL_in_before(ssl_) == 1;
  if (!first) {
    OPP2P_TRY(size, record_size(in));
    if (size == 0) return size;
  }
  ERR_clear_error();
  in_ = in.first(size);
  const int done = SSL_do_handshake(ssl_);
  const bool whole = in_.empty();
  in_ = {};
  if (done != 1 && SSL_get_error(ssl_, done) != SSL_ERROR_WANT_READ) return why_failed("the handshake of TLS failed");
  if (!whole) return Error(Errc::malformed, "the handshake of TLS ends inside of a record");
  if (done == 1) OPP2P_TRYV(establish());
  return size;
}

Result<void> TlsChannel::establish() {
  if (!remote_key_) return Error(Errc::malformed, "the peer has shown no certificate");
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &chosen, &size);
  const auto id = as_text(ByteView(chosen, size));
  if (id.empty())
    return Error(Errc::unsupported, "the peer does not speak libp2p over TLS: it names no protocol (ALPN)");
  if (id != kNoMuxer) early_muxer_ = std::string(id);
  established_ = true;
  return {};
}

Result<std::size_t> TlsChannel::seal(MutableBytes message, std::size_t plain_size) {
  OPP2P_ASSERT(established_, "nothing is sealed before the channel is established");
  if (plain_size > kMaxPlain)
    return Error(Errc::too_large,
                 "a record of TLS holds " + std::to_string(kMaxPlain) + " bytes, not " + std::to_string(plain_size));
  OPP2P_ASSERT(!owes_key_update(), "what the channel has to say goes first");
  OPP2P_ASSERT(message.size() >= plain_size + overhead(), "a message has room around it", plain_size, message.size());
  if (plain_size == 0) return std::size_t{0};
  ERR_clear_error();
  sealed_ = message;
  sealed_size_ = 0;
  sealing_ = true;
  const int done = SSL_write(ssl_, message.data() + kHeader, static_cast<int>(plain_size));
  sealing_ = false;
  sealed_ = {};
  if (done != static_cast<int>(plain_size)) return openssl_error(Errc::closed, "the channel takes no more");
  OPP2P_ASSERT(sealed_size_ == plain_size + overhead(), "a message is one record", sealed_size_, plain_size);
  return sealed_size_;
}

Result<SecureChannel::Opened> TlsChannel::open(MutableBytes in) {
  OPP2P_ASSERT(established_, "nothing is opened before the channel is established");
  OPP2P_TRY(const std::size_t size, record_size(in));
  if (size == 0) return Opened{};
  // OpenSSL answers each request for new keys. Who reads none of the answers would fill our memory with them.
  if (out_.size() > kMostOutput)
    return Error(Errc::exhausted, "the peer asks for new keys of TLS and does not read the answers");
  ERR_clear_error();
  in_ = in.first(size);
  const int got = SSL_read(ssl_, in.data(), static_cast<int>(size));
  const bool whole = in_.empty();
  in_ = {};
  Opened out{size, {}};
  if (got > 0) {
    OPP2P_ASSERT(whole && SSL_pending(ssl_) == 0, "a record is opened whole", got, size);
    out.plain = in.first(static_cast<std::size_t>(got));
    return out;
  }
  switch (SSL_get_error(ssl_, got)) {
    case SSL_ERROR_WANT_READ: break;  // a ticket, an update of the keys
    case SSL_ERROR_ZERO_RETURN: out.ended = true; return out;
    default: return openssl_error(Errc::malformed, "a record of TLS cannot be opened");
  }
  return out;
}

bool TlsChannel::owes_key_update() const { return SSL_get_key_update_type(ssl_) != SSL_KEY_UPDATE_NONE; }

bool TlsChannel::wants_output() const { return established_ && (!out_.empty() || owes_key_update()); }

std::size_t TlsChannel::poll_output(MutableBytes out) {
  if (!established_) return 0;
  // Before the data that it is for (RFC 8446, section 4.6.3).
  if (out_.empty() && owes_key_update()) {
    ERR_clear_error();
    if (SSL_key_update(ssl_, SSL_KEY_UPDATE_NOT_REQUESTED) == 1) SSL_do_handshake(ssl_);
    ERR_clear_error();
  }
  const std::size_t count = std::min(out.size(), out_.size());
  std::copy_n(out_.begin(), count, out.begin());
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

void TlsChannel::close() {
  if (!established_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

void TlsChannel::check() const {
  OPP2P_CHECK(!sealing_ && in_.empty(), "OpenSSL keeps nothing of a call");
  OPP2P_CHECK(!established_ || remote_key_.has_value(), "the peer's key is known once it is established");
  OPP2P_CHECK(established_ || early_muxer_.empty(), "nothing is settled before", early_muxer_);
}

}  // namespace libp2p::tls
