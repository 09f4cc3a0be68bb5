// Where a trace file's bytes go. TraceFileOutput is a file that ends with a whole record at any time: what a failed
// write has left of a record is cut off again, since nobody could read what follows a torn one.
//
// Owner: GossipTraceFile. Thread: the one that writes. Bounds: none of its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "libp2p/base/result.hpp"

namespace libp2p {

class TraceOutput {
 public:
  virtual ~TraceOutput() = default;
  // Writes whole records, all of them or, with an error, none. It may block.
  virtual Result<void> write(std::string_view records) = 0;
};

class TraceFileOutput final : public TraceOutput {
 public:
  // Creates the file, or empties it. The error names it, and says what to do.
  static Result<std::unique_ptr<TraceFileOutput>> open(const std::string& path);
  ~TraceFileOutput() override;
  TraceFileOutput(const TraceFileOutput&) = delete;
  TraceFileOutput& operator=(const TraceFileOutput&) = delete;

  Result<void> write(std::string_view records) override;

 private:
  TraceFileOutput(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  Error failed(int error) const;

  std::string path_;
  int descriptor_;
  std::size_t size_ = 0;  // of the whole records
  bool torn_ = false;     // a part of a record stands behind them
};

}  // namespace libp2p
