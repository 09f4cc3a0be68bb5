// The bytes of a trace file: an event as go-libp2p-pubsub writes it, so that its tools read our files.
//  - protobuf: `uvarint length || TraceEvent` of trace.proto (its PBTracer);
//  - JSON lines: the same message with the names of its fields, bytes in base64, the type as a number (its JSONTracer).
// What a writer has left out is told in a record of our own, of a type and a field that readers of trace.proto pass
// over: type 1000, and field 1000 with 1: events without room, 2: events that could not be written.
//
// Pure functions that append to a buffer. Source: go-libp2p-pubsub 0.17, pb/trace.proto and tracer.go.
#pragma once

#include <cstdint>
#include <string>

#include "libp2p/protocols/gossipsub/trace_event.hpp"

namespace libp2p::gossipsub {

enum class TraceFormat : std::uint8_t { protobuf, json_lines };

// Events that are missing at this place of the file.
struct TraceLoss {
  UnixTime at{};
  std::uint64_t no_room = 0;
  std::uint64_t unwritten = 0;
  std::uint64_t total() const { return no_room + unwritten; }
};
inline constexpr std::uint32_t kTraceLossType = 1000;

// trace_protobuf.cpp
void append_trace_protobuf(std::string& to, const TraceEvent& event);
void append_trace_protobuf(std::string& to, const TraceLoss& loss);
// trace_json.cpp
void append_trace_json(std::string& to, const TraceEvent& event);
void append_trace_json(std::string& to, const TraceLoss& loss);

template <class Record>
void append_trace(std::string& to, const Record& record, TraceFormat format) {
  format == TraceFormat::protobuf ? append_trace_protobuf(to, record) : append_trace_json(to, record);
}

}  // namespace libp2p::gossipsub
