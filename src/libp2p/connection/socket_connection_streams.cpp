// Between the engine of a connection and the table of its streams: the engine's events go up, the users' calls go down.
#include "libp2p/connection/socket_connection.hpp"

namespace libp2p {

// ---- up ----

void SocketConnection::on_ready() {
  if (auto allowed = owner_.on_ready(*this); !allowed) return on_failure(std::move(allowed).error());
  if (const auto outcome = std::exchange(outcome_, nullptr)) outcome(id());
}

void SocketConnection::on_stream_opened(StreamId id, const std::string& protocol, bool inbound) {
  // The owner has refused the peer, who sent this with its handshake; it ends with the connection.
  if (inbound && failing()) return;
  table_.on_stream_opened(id, protocol, inbound);
}
void SocketConnection::on_stream_data(StreamId id, ByteView data) { table_.on_stream_data(id, data); }
void SocketConnection::on_stream_end(StreamId id) { table_.on_stream_end(id); }
void SocketConnection::on_stream_reset(StreamId id, const Error& error) { table_.on_stream_reset(id, error); }
void SocketConnection::on_stream_writable(StreamId id) { table_.on_stream_writable(id); }
void SocketConnection::on_stream_closed(StreamId id) { table_.on_stream_closed(id); }

// ---- down ----

Result<std::shared_ptr<StreamState>> SocketConnection::open_stream(std::vector<std::string> protocols) {
  if (!usable()) return fail(Errc::closed, "the connection is closing");
  std::string only = protocols.size() == 1 ? protocols.front() : std::string();
  OPP2P_TRY(const StreamId id, engine_->open_stream(std::move(protocols), runtime_.now()));
  auto stream = table_.add_outbound(id, std::move(only));
  flush_for_user();
  return stream;
}

std::size_t SocketConnection::send(StreamId id, ByteView data) { return engine_->send(id, data); }
bool SocketConnection::send(StreamId id, SharedBytes data) { return engine_->send(id, std::move(data)); }
std::size_t SocketConnection::send_queue_bytes(StreamId id) const { return engine_->send_queue_bytes(id); }
void SocketConnection::close_write(StreamId id) { engine_->close_write(id); }
void SocketConnection::reset(StreamId id) { engine_->reset(id); }
void SocketConnection::consume(StreamId id, std::size_t n) { engine_->consume(id, n); }

void SocketConnection::flush_for_user() {
  // Inside the engine, or while streams are told something, whoever is at work sends it.
  if (in_engine_ || table_.delivering() || phase_ == Phase::good_bye || phase_ == Phase::ended) return;
  if (flush(false)) schedule_pump();
  if (failing() || table_.wants_delivery()) {
    schedule_pump();
  } else {
    arm_timer();
  }
}

void SocketConnection::on_deadline_moved() {
  if (!in_engine_) arm_timer();
}

}  // namespace libp2p
