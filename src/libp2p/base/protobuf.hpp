// Reads the fields of a protobuf message one after another, and takes exactly what Go's protobuf module takes (the
// reader of go-libp2p and of op-node): numbers may be padded, fields that are not known have any wire type, and groups
// stand in each other up to 10,001 deep. What is refused here and taken there would make us blame honest peers. A value
// over bytes that the caller keeps; any thread; never recursive; allocates only within a group.
#pragma once

#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/uvarint.hpp"

namespace libp2p {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, group = 3, end_group = 4, fixed32 = 5 };

struct ProtobufField {
  std::uint32_t number = 0;
  WireType type = WireType::varint;
  std::uint64_t value = 0;  // of a varint
  ByteView bytes;           // contents of bytes, fixed64 and fixed32; of a group what stands in it and its end
  std::size_t tag_size = 0;
  std::size_t value_size = 0;  // with the length in front

  bool is_bytes() const { return type == WireType::bytes; }
  bool is_varint() const { return type == WireType::varint; }
};

class ProtobufReader {
 public:
  // Groups in groups (Go's protowire.DefaultRecursionLimit, and the outermost).
  static constexpr std::size_t kMaxGroupDepth = 10'001;

  // `context` begins the text of errors and outlives the reader. `start`: the byte from which their offsets count, when
  // the message is a part of something. `cut_off`: the code when the message ends within a field.
  explicit ProtobufReader(ByteView message, std::string_view context = "protobuf", const std::uint8_t* start = nullptr,
                          Errc cut_off = Errc::malformed)
      : begin_(message.data()),
        at_(begin_),
        end_(begin_ + message.size()),
        start_(start ? start : begin_),
        context_(context),
        cut_off_(cut_off) {}

  // Fields with a number above this one are also taken as gogo/protobuf takes them: groups of any depth whose ends name
  // any field, and numbers that overflow. They are passed over, not answered; Errc::too_large when they are more than
  // `most` bytes. For messages whose unknown fields are passed on by peers that never read them.
  ProtobufReader& keep_unknown_above(std::uint32_t number, std::size_t most) {
    lenient_above_ = number;
    most_kept_ = most;
    return *this;
  }

  // Numbers of fields up to 2^31-1 as Go's low-level walk has them, not 2^29-1 as in a schema.
  ProtobufReader& allow_high_numbers() {
    highest_ = kHighestWalked;
    return *this;
  }

  // False at the end. Errc::malformed, or `cut_off`, with the offset.
  Result<bool> next(ProtobufField& out);

  // Bytes that were gone over.
  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
  // What is left.
  ByteView rest() const { return {at_, end_}; }
  Error error(Errc code, std::string_view what) const {
    return Error::at(static_cast<std::size_t>(at_ - start_), code, std::string(context_) + ": " + std::string(what));
  }

 private:
  static constexpr std::uint64_t kHighestWalked = 0x7fff'ffff;

  Result<std::uint64_t> read_number();
  Result<void> read_tag(ProtobufField& out, std::uint64_t highest);
  Result<void> read_value(ProtobufField& out);
  Result<void> read_group(std::uint32_t number);
  Result<void> take(std::uint64_t size, ProtobufField& out);
  bool read_short(ProtobufField& out);
  bool skip_kept();

  const std::uint8_t* begin_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  const std::uint8_t* start_;
  std::string_view context_;
  Errc cut_off_;
  std::uint64_t highest_ = 536'870'911;
  std::uint32_t lenient_above_ = 0;  // 0: nothing
  std::size_t most_kept_ = 0;
  std::size_t kept_ = 0;                    // bytes
  std::vector<std::uint32_t> open_groups_;  // of the group that is read: kept, so that not each group allocates
};

// Goes over a whole message, for what is wrong in it.
Result<void> check_protobuf(ByteView message, std::string_view context = "protobuf",
                            const std::uint8_t* start = nullptr, Errc cut_off = Errc::malformed);

}  // namespace libp2p
