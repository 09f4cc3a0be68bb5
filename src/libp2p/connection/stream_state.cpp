#include "libp2p/connection/stream_state.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace libp2p {

void StreamState::on_opened(const std::string& agreed) {
  opened = true;
  protocol = agreed;
}

void StreamState::on_data(ByteView bytes) {
  if (released || dead) {
    port->credit(id, bytes.size());
    return;
  }
  if (handler != nullptr) {
    const std::size_t n = bytes.size();
    const auto keep = port;
    const StreamId stream = id;
    handler->on_data(bytes);
    keep->credit(stream, n);
    return;
  }
  if (direct_filled < direct.size() && unread() == 0) {
    const std::size_t n = std::min(bytes.size(), direct.size() - direct_filled);
    std::memcpy(direct.data() + direct_filled, bytes.data(), n);
    direct_filled += n;
    port->credit(id, n);
    bytes = bytes.subspan(n);
  }
  if (bytes.empty()) return;
  if (taken == buffer.size()) {
    buffer.clear();
    taken = 0;
    last_read = runtime.now().mono;
  }
  append(buffer, bytes);
  port->on_unread(static_cast<std::ptrdiff_t>(bytes.size()));  // last: it may reset this stream
}

std::size_t StreamState::take(MutableBytes into) {
  const std::size_t n = std::min(into.size(), unread());
  std::memcpy(into.data(), buffer.data() + taken, n);
  taken += n;
  last_read = runtime.now().mono;
  port->on_unread(-static_cast<std::ptrdiff_t>(n));
  if (taken == buffer.size()) {
    drop_buffer();
  } else if (taken > 64 * 1024 && taken > buffer.size() / 2) {
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(taken));
    taken = 0;
  }
  port->credit(id, n);
  return n;
}

void StreamState::drop_buffer() {
  constexpr std::size_t kKeep = 4096;
  if (unread() > 0) port->on_unread(-static_cast<std::ptrdiff_t>(unread()));
  if (buffer.capacity() > kKeep) {
    Bytes().swap(buffer);
  } else {
    buffer.clear();
  }
  taken = 0;
}

void StreamState::on_dead(Error why) {
  if (dead) return;
  dead = std::move(why);
  drop_buffer();
}

void StreamState::deliver() {
  if (watcher != nullptr) watcher->on_stream_change();
  if (dead && death != nullptr) std::exchange(death, nullptr)->signal();
  // One that is woken already has been cancelled, and has not resumed yet.
  if (opener != nullptr && !opener->woken() && (opened || dead)) {
    opener->wake_now(runtime::Wake::ok);
    return deliver();
  }
  if (reader != nullptr && !reader->woken() && (direct_filled > 0 || unread() > 0 || ended || dead))
    reader->wake_now(runtime::Wake::ok);
  if (writer != nullptr && !writer->woken() && (room || dead)) {
    room = false;
    writer->wake_now(runtime::Wake::ok);
  }
  if (handler != nullptr && ended && !dead && !std::exchange(end_told, true)) handler->on_end();
  if (handler != nullptr && dead && !std::exchange(reset_told, true)) {
    handler->on_reset(*dead);
    return;
  }
  if (handler != nullptr && !dead && std::exchange(room, false)) handler->on_writable();
}

void StreamState::wake_later() {
  if (watcher != nullptr) watcher->on_stream_change();
  if (death != nullptr) std::exchange(death, nullptr)->signal();
  for (runtime::Parking* waiting : {opener, reader, writer}) {
    if (waiting != nullptr) waiting->wake(runtime::Wake::ok);
  }
}

}  // namespace libp2p
