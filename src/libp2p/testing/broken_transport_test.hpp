// TCP with a selectable defect. With TransportDefect::none it passes the transport suite; with any other defect a case
// of the suite must report it. For transport_suite_test.cpp. Thread: one. Bounds: those of TCP.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "libp2p/testing/transport_bed.hpp"
#include "libp2p/transports/tcp/tcp_transport.hpp"

namespace libp2p {

enum class TransportDefect {
  none,
  loses_a_byte,
  stalls,
  swallows_resets,
  tears_at_shutdown,
  names_another_remote,
  listens_twice,
  dials_somebody_else,
  refuses_after_a_cancelled_dial,
  dials_or_listens,
  falls_silent,
  takes_every_address,
  calls_back_after_all,
};

// What the sockets and transports of one plan have in common.
struct BrokenWire {
  TransportDefect defect = TransportDefect::none;
  bool torn = false;    // tears_at_shutdown: somebody has
  bool silent = false;  // falls_silent: somebody has dialled a second time
  int dials = 0;
  bool cancelled = false;  // refuses_after_a_cancelled_dial: one was
  std::vector<Multiaddr> listening;
};

class BrokenSocket final : public runtime::Socket {
 public:
  BrokenSocket(std::unique_ptr<runtime::Socket> inner, std::shared_ptr<BrokenWire> wire)
      : inner_(std::move(inner)), wire_(std::move(wire)) {}

  Result<std::size_t> read(MutableBytes into) override {
    if (wire_->silent) return Error(Errc::would_block);
    if (wire_->torn) return Error(Errc::reset, "torn");
    auto n = inner_->read(into);
    const bool over = n ? *n == 0 : !(n.error() == Errc::would_block);
    if (over && wire_->defect == TransportDefect::swallows_resets) {
      deaf_ = true;
      return Error(Errc::would_block);
    }
    if (!n || over) return n;
    const bool now = std::exchange(read_, read_ + *n) < kSound && read_ >= kSound;
    if (!now || wire_->defect != TransportDefect::loses_a_byte || *n < 2) return n;
    std::copy(into.begin() + 1, into.begin() + static_cast<std::ptrdiff_t>(*n), into.begin());
    return *n - 1;
  }
  Result<std::size_t> write(ByteView from) override {
    if (wire_->silent) return Error(Errc::would_block);
    if (wire_->defect == TransportDefect::stalls && written_ >= kSound) {
      stalled_ = true;
      return Error(Errc::would_block);
    }
    // In small parts, so that none of them goes far beyond.
    auto n = inner_->write(from.first(std::min(from.size(), kSound / 2)));
    if (!n && wire_->defect == TransportDefect::swallows_resets && !(n.error() == Errc::would_block)) {
      deaf_ = true;
      return Error(Errc::would_block);
    }
    if (n) written_ += *n;
    return n;
  }
  void shutdown_write() override {
    if (wire_->defect == TransportDefect::tears_at_shutdown) wire_->torn = true;
    inner_->shutdown_write();
  }
  void when_readable(std::function<void()> wake) override {
    if (!deaf_ && !wire_->silent) inner_->when_readable(std::move(wake));
  }
  void when_writable(std::function<void()> wake) override {
    if (!deaf_ && !stalled_ && !wire_->silent) inner_->when_writable(std::move(wake));
  }
  Endpoint local() const override { return inner_->local(); }
  Endpoint remote() const override { return inner_->remote(); }

 private:
  static constexpr std::size_t kSound = 2'000;  // bytes: enough for a handshake
  std::unique_ptr<runtime::Socket> inner_;
  std::shared_ptr<BrokenWire> wire_;
  std::size_t read_ = 0, written_ = 0;
  bool deaf_ = false, stalled_ = false;
};

class BrokenTransport final : public SocketTransport {
 public:
  BrokenTransport(runtime::Runtime& runtime, std::shared_ptr<BrokenWire> wire)
      : inner_(runtime), wire_(std::move(wire)) {}

  std::string_view name() const override { return "broken tcp"; }
  bool can_dial(const Multiaddr& address) const override {
    return inner_.can_dial(address) || is(TransportDefect::takes_every_address);
  }
  bool can_listen(const Multiaddr& address) const override { return can_dial(address); }
  std::string why_not(const Multiaddr& address) const override { return inner_.why_not(address); }

  std::unique_ptr<runtime::Operation> dial(const Multiaddr& address, Done<RawEnd> done) override {
    dialled_ = true;
    if (++wire_->dials > 1 && is(TransportDefect::falls_silent)) wire_->silent = true;
    auto handle = std::make_unique<Handle>(*this);
    if (is(TransportDefect::refuses_after_a_cancelled_dial) && wire_->cancelled) return handle;
    Multiaddr to = address;
    if (is(TransportDefect::dials_somebody_else))
      for (const auto& one : wire_->listening)
        if (one != address) to = one;
    handle->inner = inner_.dial(to, [this, over = handle->over, done = std::move(done)](Result<RawEnd> end) {
      *over = true;
      if (end) broken(*end);
      done(std::move(end));
    });
    return handle;
  }
  Result<std::unique_ptr<Listening>> listen(const Multiaddr& address, std::function<void(RawEnd)> on_end) override {
    auto listening = std::make_unique<BrokenListening>(wire_, address);
    if (inner_.can_listen(address)) {
      auto inner = inner_.listen(address, [this, on_end = std::move(on_end)](RawEnd end) {
        if (is(TransportDefect::dials_or_listens) && dialled_) return;
        broken(end);
        on_end(std::move(end));
      });
      if (!inner && !is(TransportDefect::listens_twice)) return inner;
      if (inner) listening->inner = std::move(*inner);
    }
    wire_->listening.push_back(listening->address());
    return std::unique_ptr<Listening>(std::move(listening));
  }

 private:
  // What the host holds of a dial.
  struct Handle final : runtime::Operation {
    explicit Handle(BrokenTransport& transport) : of(transport) {}
    ~Handle() override {
      if (!*over) of.wire_->cancelled = true;
      if (of.is(TransportDefect::calls_back_after_all)) of.kept_.push_back(std::move(inner));
    }
    BrokenTransport& of;
    std::shared_ptr<bool> over = std::make_shared<bool>(false);
    std::unique_ptr<runtime::Operation> inner;
  };
  class BrokenListening final : public Listening {
   public:
    BrokenListening(std::shared_ptr<BrokenWire> wire, Multiaddr asked)
        : wire_(std::move(wire)), asked_(std::move(asked)) {}
    ~BrokenListening() override { std::erase(wire_->listening, address()); }
    Multiaddr address() const override { return inner ? inner->address() : asked_; }
    std::unique_ptr<Listening> inner;

   private:
    std::shared_ptr<BrokenWire> wire_;
    Multiaddr asked_;
  };

  bool is(TransportDefect defect) const { return wire_->defect == defect; }
  void broken(RawEnd& end) {
    end.socket = std::make_unique<BrokenSocket>(std::move(end.socket), wire_);
    if (is(TransportDefect::names_another_remote)) end.remote = Multiaddr::from_text("/ip4/192.0.2.1/tcp/1").value();
  }

  tcp::TcpTransport inner_;
  std::shared_ptr<BrokenWire> wire_;
  bool dialled_ = false;
  std::vector<std::unique_ptr<runtime::Operation>> kept_;
};

inline TransportPlan broken_tcp_plan(TransportDefect defect) {
  TransportPlan plan = tcp_plan();
  plan.name = "broken";
  auto wire = std::make_shared<BrokenWire>();
  wire->defect = defect;
  plan.make = [wire](runtime::Runtime& runtime) -> AnyTransport {
    return std::unique_ptr<SocketTransport>(std::make_unique<BrokenTransport>(runtime, wire));
  };
  return plan;
}

}  // namespace libp2p
