#include "libp2p/transports/memory/memory_socket.hpp"

#include <algorithm>
#include <cstring>

namespace libp2p::memory {
namespace {

// The inside of one end. The other end and queued wakes hold it too, so it outlives its socket.
struct End {
  End(runtime::Runtime& r, std::string far) : runtime(r), far_name(std::move(far)) {}

  std::size_t unread() const { return bytes.size() - begin; }
  bool is_full() const { return unread() >= kBuffer; }

  runtime::Runtime& runtime;
  const std::string far_name;
  Bytes bytes;  // what has come for this end, from `begin` on
  std::size_t begin = 0;
  bool ended = false;  // nothing more will come
  bool reset = false;
  bool destroyed = false;  // its socket is gone
  bool closed = false;     // it has shut down its writing
  std::function<void()> on_readable;
  std::function<void()> on_writable;
  bool read_posted = false;
  bool write_posted = false;
};

void wake_reader(const std::shared_ptr<End>& end) {
  if (!end->on_readable || std::exchange(end->read_posted, true)) return;
  end->runtime.post([end] {
    end->read_posted = false;
    if (const auto call = std::exchange(end->on_readable, nullptr)) call();
  });
}

void wake_writer(const std::shared_ptr<End>& end) {
  if (!end->on_writable || std::exchange(end->write_posted, true)) return;
  end->runtime.post([end] {
    end->write_posted = false;
    if (const auto call = std::exchange(end->on_writable, nullptr)) call();
  });
}

class MemorySocket final : public runtime::Socket {
 public:
  MemorySocket(std::shared_ptr<End> near, std::shared_ptr<End> far) : near_(std::move(near)), far_(std::move(far)) {}

  ~MemorySocket() override {
    near_->on_readable = nullptr;
    near_->on_writable = nullptr;
    near_->destroyed = true;
    if (near_->unread() > 0) {
      far_->reset = true;
      drop(*far_);
    }
    drop(*near_);
    far_->ended = true;
    wake_reader(far_);
    wake_writer(far_);
  }
  MemorySocket(const MemorySocket&) = delete;
  MemorySocket& operator=(const MemorySocket&) = delete;

  Result<std::size_t> read(MutableBytes into) override {
    if (near_->reset) return fail(Errc::reset, "read from " + near_->far_name + " failed: connection reset by peer");
    const std::size_t n = std::min(into.size(), near_->unread());
    if (n == 0) {
      if (near_->ended && near_->unread() == 0) return std::size_t{0};
      return fail(Errc::would_block, "");
    }
    const bool was_full = near_->is_full();
    std::memcpy(into.data(), near_->bytes.data() + near_->begin, n);
    near_->begin += n;
    if (near_->unread() == 0) {
      near_->bytes.clear();
      near_->begin = 0;
    }
    if (was_full) wake_writer(far_);
    return n;
  }

  Result<std::size_t> write(ByteView from) override {
    if (near_->reset || near_->closed || far_->destroyed) {
      return fail(Errc::reset, "write to " + near_->far_name + " failed: connection reset by peer");
    }
    const std::size_t n = std::min(from.size(), kBuffer - std::min(kBuffer, far_->unread()));
    if (n == 0) return fail(Errc::would_block, "");
    Bytes& to = far_->bytes;
    if (to.size() + n > kBuffer) {
      // Never above kBuffer: what was read makes room at the front.
      to.erase(to.begin(), to.begin() + static_cast<std::ptrdiff_t>(far_->begin));
      far_->begin = 0;
    }
    append(to, from.first(n));
    wake_reader(far_);
    return n;
  }

  void shutdown_write() override {
    if (std::exchange(near_->closed, true)) return;
    far_->ended = true;
    wake_reader(far_);
  }

  void when_readable(std::function<void()> wake) override {
    near_->on_readable = std::move(wake);
    if (near_->reset || near_->ended || near_->unread() > 0) wake_reader(near_);
  }
  void when_writable(std::function<void()> wake) override {
    near_->on_writable = std::move(wake);
    if (near_->reset || near_->closed || far_->destroyed || !far_->is_full()) wake_writer(near_);
  }

  // It has no endpoints: its addresses travel beside it (RawEnd).
  Endpoint local() const override { return {}; }
  Endpoint remote() const override { return {}; }

 private:
  static void drop(End& end) {
    Bytes().swap(end.bytes);
    end.begin = 0;
  }

  const std::shared_ptr<End> near_;
  const std::shared_ptr<End> far_;
};

}  // namespace

std::pair<std::unique_ptr<runtime::Socket>, std::unique_ptr<runtime::Socket>> make_pipe(runtime::Runtime& of_first,
                                                                                        std::string second_name,
                                                                                        runtime::Runtime& of_second,
                                                                                        std::string first_name) {
  auto first = std::make_shared<End>(of_first, std::move(second_name));
  auto second = std::make_shared<End>(of_second, std::move(first_name));
  return {std::make_unique<MemorySocket>(first, second), std::make_unique<MemorySocket>(second, first)};
}

}  // namespace libp2p::memory
