// A script drives both ends of a pipe beside a model of what is on its way: no byte is lost, doubled or out of order,
// the bound holds, an end comes once everything was read, and each callback that was asked for comes once, from the
// queue, when it is due.
#include <cstdlib>
#include <deque>

#include "libp2p/runtime/sim/sim_world.hpp"
#include "libp2p/transports/memory/memory_socket.hpp"

namespace {

using namespace libp2p;

void require(bool holds) {
  if (!holds) std::abort();
}

struct ModelEnd {
  std::unique_ptr<runtime::Socket> socket;
  std::deque<std::uint8_t> incoming;
  bool closed = false;  // it has shut down its writing
  bool reset = false;
  bool wants_read = false;
  bool wants_write = false;
  std::uint8_t next = 0;  // what it writes
};

class Script {
 public:
  explicit Script(ByteView bytes) : bytes_(bytes) {}
  bool over() const { return at_ == bytes_.size(); }
  std::uint8_t take() { return over() ? std::uint8_t{0} : bytes_[at_++]; }
  std::size_t take_size() {
    const std::size_t high = take();
    return high * 1024 + take();
  }

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
};

bool is_readable(const ModelEnd& end, const ModelEnd& far) {
  return end.reset || !end.incoming.empty() || far.closed || !far.socket;
}
// Who waits and then shuts down itself is not woken for that.
bool is_writable(const ModelEnd& end, const ModelEnd& far) {
  return end.reset || !far.socket || far.incoming.size() < memory::kBuffer;
}

void write(ModelEnd& end, ModelEnd& far, std::size_t size) {
  Bytes out(size + 1);
  std::uint8_t next = end.next;
  for (auto& byte : out) byte = next++;
  const auto n = end.socket->write(out);
  if (end.reset || end.closed || !far.socket) return require(!n && n.error() == Errc::reset);
  const std::size_t room = memory::kBuffer - far.incoming.size();
  if (room == 0) return require(!n && n.error() == Errc::would_block);
  require(n && *n == std::min(room, out.size()));
  far.incoming.insert(far.incoming.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*n));
  end.next = static_cast<std::uint8_t>(end.next + *n);
}

void read(ModelEnd& end, const ModelEnd& far, std::size_t size) {
  Bytes in(size + 1);
  const auto n = end.socket->read(in);
  if (end.reset) return require(!n && n.error() == Errc::reset);
  if (end.incoming.empty()) {
    const bool ended = far.closed || !far.socket;
    return require(ended ? n && *n == 0 : !n && n.error() == Errc::would_block);
  }
  require(n && *n == std::min(in.size(), end.incoming.size()));
  require(std::equal(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(*n), end.incoming.begin()));
  end.incoming.erase(end.incoming.begin(), end.incoming.begin() + static_cast<std::ptrdiff_t>(*n));
}

void destroy(ModelEnd& end, ModelEnd& far) {
  if (!end.incoming.empty() && far.socket) {
    far.reset = true;
    far.incoming.clear();
  }
  end.socket.reset();
  end.incoming.clear();
  end.wants_read = end.wants_write = false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  runtime::SimWorld world(1);
  const auto node = world.add_node();
  ModelEnd ends[2];
  auto made = memory::make_pipe(node.runtime(), "/memory/2", node.runtime(), "/memory/1");
  ends[0].socket = std::move(made.first);
  ends[1].socket = std::move(made.second);
  Script script({data, std::min<std::size_t>(size, 4096)});
  while (!script.over()) {
    const std::uint8_t step = script.take();
    ModelEnd& end = ends[step & 1];
    ModelEnd& far = ends[1 - (step & 1)];
    if (!end.socket) continue;
    switch ((step >> 1) % 8) {
      case 0:
      case 1: write(end, far, script.take_size()); break;
      case 2:
      case 3: read(end, far, script.take_size()); break;
      case 4:
        end.wants_read = true;
        end.socket->when_readable([&end] { require(std::exchange(end.wants_read, false)); });
        require(end.wants_read);
        break;
      case 5:
        end.wants_write = true;
        end.socket->when_writable([&end] { require(std::exchange(end.wants_write, false)); });
        require(end.wants_write);
        break;
      case 6:
        if (script.take() < 16) {
          end.socket->shutdown_write();
          end.closed = true;
        }
        break;
      default:
        if (script.take() < 8) destroy(end, far);
    }
    if (step < 128) continue;
    world.run_for(Nanos(0));
    for (int i = 0; i < 2; ++i) {
      // A call may be left over from a moment that has passed; one that is due has come.
      require(!ends[i].wants_read || !is_readable(ends[i], ends[1 - i]));
      require(!ends[i].wants_write || !is_writable(ends[i], ends[1 - i]));
    }
  }
  for (ModelEnd& end : ends) end.socket.reset();
  world.run_for(Nanos(0));
  require(world.sizes().events == 0);
  return 0;
}
