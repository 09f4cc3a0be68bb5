// A trace of GossipSub in a file, in one of go-libp2p-pubsub's two formats (trace_encode.hpp), so that its tools read
// it. Give one to GossipsubConfig::tracer. Encoding and writing happen on a thread of this object's own, so that a slow
// disk costs events and not the network thread's time.
// tests/interop/traces/gossip_traces.cpp writes some.
//
// Overflow: an event that finds no room in the queue is dropped. A write that fails (a full disk) loses the events of
// that write, and the next ones are tried again. Both are counted, and a record of the file tells how many are missing
// (TraceLoss): dropped ones behind what waited then, unwritten ones as soon as a write succeeds again. The first
// failure, and the first after a success, is told to on_error.
//
// Owner: the configuration of a service, or several; shared. Thread: on_event(), flush() and counts() from any thread;
// on_error is called on the thread that writes. Bounds: max_events and max_bytes that wait, and as much that is
// being written. The destructor writes what waits, for at most close_limit; a thread that is stuck in a write is
// left behind with what it uses.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/protocols/gossipsub/trace_encode.hpp"
#include "libp2p/services/gossipsub/trace_output.hpp"

namespace libp2p {

struct GossipTraceFileConfig {
  std::string path;
  gossipsub::TraceFormat format = gossipsub::TraceFormat::protobuf;
  std::size_t max_events = 65'536;
  std::size_t max_bytes = 32U << 20;  // of TraceEvent::memory_bytes()
  Nanos close_limit = Seconds(5);
  std::function<void(const Error&)> on_error = nullptr;
};

struct GossipTraceCounts {
  std::uint64_t written = 0;
  std::uint64_t no_room = 0;    // max_events, max_bytes
  std::uint64_t unwritten = 0;  // lost in a write that failed
};

class GossipTraceFile final : public gossipsub::EventTracer {
 public:
  // The error names the file.
  static Result<std::shared_ptr<GossipTraceFile>> open(const GossipTraceFileConfig& config);
  // Writes to anything; the path of the configuration is not used.
  GossipTraceFile(std::unique_ptr<TraceOutput> output, GossipTraceFileConfig config);
  ~GossipTraceFile() override;
  GossipTraceFile(const GossipTraceFile&) = delete;
  GossipTraceFile& operator=(const GossipTraceFile&) = delete;

  void on_event(gossipsub::TraceEvent event) override;
  // Waits until what waits now is written or lost; false when `limit` passed first.
  bool flush(Nanos limit);
  GossipTraceCounts counts() const;

 private:
  static constexpr std::size_t kWriteBytes = 256U << 10;

  // What the thread uses; it may outlive the object.
  struct Core {
    Core(std::unique_ptr<TraceOutput> out, GossipTraceFileConfig settings)
        : output(std::move(out)), config(std::move(settings)) {}
    void run();
    void write(const std::vector<gossipsub::TraceEvent>& batch, const gossipsub::TraceLoss& loss);
    void write_part(std::string& records, std::uint64_t events, UnixTime last);

    const std::unique_ptr<TraceOutput> output;
    const GossipTraceFileConfig config;

    mutable std::mutex mutex;  // guards what follows
    std::condition_variable work, progress;
    std::vector<gossipsub::TraceEvent> queue;
    std::size_t queued_bytes = 0;
    gossipsub::TraceLoss dropped;  // since the thread has last taken the queue
    GossipTraceCounts counts;
    std::uint64_t last_queued = 0;  // numbers of events and drops, to wait for
    std::uint64_t last_written = 0;
    bool stopping = false;
    bool give_up = false;
    bool ended = false;

    // The thread's own.
    gossipsub::TraceLoss untold;  // what is missing and stands in no record yet
    bool failing = false;
  };

  std::shared_ptr<Core> core_;
  std::thread thread_;
};

}  // namespace libp2p
