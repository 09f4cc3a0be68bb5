#include "libp2p/connection/stream_socket.hpp"

#include <stdexcept>
#include <utility>

namespace libp2p {

namespace {

Stream not_empty(Stream stream) {
  if (!stream) throw std::invalid_argument("a StreamSocket is made of a stream: this handle is empty");
  return stream;
}

}  // namespace

StreamSocket::StreamSocket(Stream stream) : stream_(not_empty(std::move(stream))), state_(*stream_.state_) {
  state_.watcher = this;
}

StreamSocket::~StreamSocket() {
  state_.watcher = nullptr;
  life_.end();
  stream_.close_write();
}

Result<std::size_t> StreamSocket::read(MutableBytes into) {
  if (state_.dead) return *state_.dead;
  if (state_.unread() > 0) return state_.take(into);
  if (state_.ended) return std::size_t{0};
  return fail(Errc::would_block, "");
}

Result<std::size_t> StreamSocket::write(ByteView from) {
  if (state_.dead) return *state_.dead;
  if (state_.write_closed) return fail(Errc::closed, "the stream's writing side was closed by us");
  state_.room = false;  // before the bytes go: sending some of them at once may make room
  const std::size_t n = state_.port->send(state_.id, from);
  full_ = n < from.size();
  if (n == 0) return fail(Errc::would_block, "");
  return n;
}

bool StreamSocket::readable() const { return state_.dead || state_.unread() > 0 || state_.ended; }

bool StreamSocket::writable() const { return state_.dead || state_.write_closed || !full_ || state_.room; }

void StreamSocket::when_readable(std::function<void()> wake) {
  reader_.call = std::move(wake);
  if (readable()) post(reader_);
}

void StreamSocket::when_writable(std::function<void()> wake) {
  writer_.call = std::move(wake);
  if (writable()) post(writer_);
}

void StreamSocket::on_stream_change() {
  if (readable()) post(reader_);
  if (writable()) post(writer_);
}

void StreamSocket::post(Wake& wake) {
  if (!wake.call || std::exchange(wake.posted, true)) return;
  state_.runtime.post(life_.guard([&wake] {
    wake.posted = false;
    if (const auto call = std::exchange(wake.call, nullptr)) call();  // it may destroy the socket
  }));
}

}  // namespace libp2p
