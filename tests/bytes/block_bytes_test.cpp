// What a block of 1 MB costs in memory and in encodings on its way through a whole node: from the socket of a
// simulated host to a database on disk, and back to a socket. A program of its own, because it replaces operator new.
//
// Every allocation of at least half a block is noted with its size, on all threads. The body, the transaction in it,
// the decompressed message and the frames have different sizes, so a size says what was made. An allocation of exactly
// the body's size is an encoding or a copy of the body. Our own copies of at least half a block are noted in the same
// way, wherever they go: the linker sends them here, too. All of our copies of at least 2 KiB are summed besides, so
// that a block that is copied in pieces is seen. Libraries copy inside themselves unseen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>

#include "libp2p/protocols/gossipsub/frame.hpp"
#include "libp2p/testing/sim_hosts.hpp"
#include "opp2p/node/node.hpp"
#include "opp2p/store/store_record.hpp"
#include "opp2p/store/store_test_support.hpp"
#include "opstack/rules/topics.hpp"
#include "opstack/sync/wire/codec.hpp"
#include "testing/blocks.hpp"

namespace {

constexpr std::size_t kBody = 1'000'003;  // no size that a growing buffer would have by itself
constexpr std::size_t kLarge = kBody / 2;
constexpr std::size_t kPiece = 2048;

std::atomic<bool> counting{false};
std::atomic<std::size_t> large{0};
std::array<std::size_t, 64> sizes{};
std::atomic<std::size_t> encodings{0};
std::atomic<std::size_t> copied{0};
std::array<std::size_t, 64> copied_sizes{};
std::atomic<std::size_t> copied_bytes{0};  // by copies of at least kPiece

void note_copy(std::size_t size) noexcept {
  if (!counting) return;
  if (size >= kPiece) copied_bytes += size;
  if (size >= kLarge)
    if (const std::size_t at = copied++; at < copied_sizes.size()) copied_sizes[at] = size;
}

void* allocate(std::size_t size) noexcept {
  if (counting && size >= kLarge)
    if (const std::size_t at = large++; at < sizes.size()) sizes[at] = size;
  return std::malloc(size);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* out = allocate(size)) return out;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

// The linker sends all calls of these functions here (tests/CMakeLists.txt).
extern "C" {
void* real_memcpy(void* to, const void* from, std::size_t size) asm("__real_memcpy");
void* wrap_memcpy(void* to, const void* from, std::size_t size) asm("__wrap_memcpy");
void* wrap_memcpy(void* to, const void* from, std::size_t size) {
  note_copy(size);
  return real_memcpy(to, from, size);
}
void* real_memmove(void* to, const void* from, std::size_t size) asm("__real_memmove");
void* wrap_memmove(void* to, const void* from, std::size_t size) asm("__wrap_memmove");
void* wrap_memmove(void* to, const void* from, std::size_t size) {
  note_copy(size);
  return real_memmove(to, from, size);
}
}

using opstack::payload::Envelope;
using opstack::payload::ExecutionPayload;
using opstack::payload::Version;
libp2p::Bytes real_encode_envelope(Version version, const Envelope& envelope) asm(
    "__real__ZN7opstack7payload15encode_envelopeENS0_7VersionERKNS0_8EnvelopeE");
libp2p::Bytes wrap_encode_envelope(Version version, const Envelope& envelope) asm(
    "__wrap__ZN7opstack7payload15encode_envelopeENS0_7VersionERKNS0_8EnvelopeE");
libp2p::Bytes wrap_encode_envelope(Version version, const Envelope& envelope) {
  if (counting) ++encodings;
  return real_encode_envelope(version, envelope);
}
libp2p::Bytes real_encode_payload(Version version, const ExecutionPayload& payload) asm(
    "__real__ZN7opstack7payload14encode_payloadENS0_7VersionERKNS0_16ExecutionPayloadE");
libp2p::Bytes wrap_encode_payload(Version version, const ExecutionPayload& payload) asm(
    "__wrap__ZN7opstack7payload14encode_payloadENS0_7VersionERKNS0_16ExecutionPayloadE");
libp2p::Bytes wrap_encode_payload(Version version, const ExecutionPayload& payload) {
  if (counting) ++encodings;
  return real_encode_payload(version, payload);
}
void real_write_envelope(Version version, const Envelope& envelope, libp2p::MutableBytes out) asm(
    "__real__ZN7opstack7payload14write_envelopeENS0_7VersionERKNS0_8EnvelopeESt4spanIhLm18446744073709551615EE");
void wrap_write_envelope(Version version, const Envelope& envelope, libp2p::MutableBytes out) asm(
    "__wrap__ZN7opstack7payload14write_envelopeENS0_7VersionERKNS0_8EnvelopeESt4spanIhLm18446744073709551615EE");
void wrap_write_envelope(Version version, const Envelope& envelope, libp2p::MutableBytes out) {
  if (counting) ++encodings;
  real_write_envelope(version, envelope, out);
}

namespace opp2p {
namespace {

namespace gossipsub = libp2p::gossipsub;
namespace payload = opstack::payload;
namespace rules = opstack::rules;
namespace wire = opstack::sync::wire;
using libp2p::Millis;
using libp2p::PeerId;
using libp2p::Seconds;
using libp2p::Stream;
using libp2p::runtime::Task;
using testing::ElementsAre;
using testing::Gt;
using testing::Lt;

constexpr std::uint64_t kChain = 901;
constexpr std::uint64_t kGenesis = 1'760'000'000;  // when the simulated world begins
constexpr std::size_t kSignature = 65;

opstack::chain::RollupConfig rollup() {
  opstack::chain::RollupConfig out;
  out.l2_chain_id = kChain;
  out.block_time = 2;
  out.genesis.l2_time = kGenesis;
  out.genesis.l2.hash.fill(0xaa);
  for (const auto fork : {opstack::chain::Fork::canyon, opstack::chain::Fork::ecotone, opstack::chain::Fork::isthmus})
    out.set_activation_time(fork, 0);
  return out;
}

// A block whose body has `size` bytes, nearly all of them one transaction of noise.
Envelope block(std::uint64_t number, const payload::Hash& parent, std::size_t size) {
  Envelope out = testing_blocks::block(Version::v4, number, kGenesis + 2 * number);
  out.payload.parent_hash = parent;
  out.payload.transactions = {Bytes()};
  Bytes transaction(size - payload::encoded_envelope_size(Version::v4, out));
  libp2p::SeededRng(number).fill(transaction);
  out.payload.transactions = {transaction};
  return testing_blocks::sealed(std::move(out));
}

// What was made while it lived.
class Count {
 public:
  Count() {
    large = 0;
    encodings = 0;
    copied = 0;
    copied_bytes = 0;
    counting = true;
  }
  ~Count() { counting = false; }
  // The large allocations in their order. Counting has ended.
  std::vector<std::size_t> end() {
    counting = false;
    return {sizes.begin(), sizes.begin() + std::min<std::size_t>(large, sizes.size())};
  }
  // What was copied by copies of at least kPiece, together.
  static std::size_t in_pieces() { return copied_bytes; }
  static std::vector<std::size_t> copies() {
    return {copied_sizes.begin(), copied_sizes.begin() + std::min<std::size_t>(copied, copied_sizes.size())};
  }
};

Task<Result<void>> send(libp2p::Host& host, PeerId peer, std::vector<std::string> protocols, SharedBytes bytes,
                        Stream& out) {
  Result<Stream> opened = co_await host.open_stream(std::move(peer), std::move(protocols));
  if (!opened) co_return opened.error();
  out = std::move(*opened);
  const Result<void> sent = co_await out.write(std::move(bytes));
  co_return sent;
}

// Reads an answer in small pieces and says how long it was.
Task<std::size_t> length_of_answer(Stream& stream) {
  Bytes buffer(64 * 1024);
  std::size_t total = 0;
  while (true) {
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got || *got == 0) co_return total;
    total += *got;
  }
}

// A peer that answers every request with the same bytes.
Task<void> serve(Stream stream, SharedBytes answer) {
  libp2p::ByteArray<wire::kRequestSize> request{};
  const Result<void> read = co_await stream.read_exactly(request);
  if (!read) co_return;
  const Result<void> sent = co_await stream.write(std::move(answer));
  if (sent) stream.close_write();
}

class BlockBytes : public testing::Test {
 protected:
  void SetUp() override {
    store_ = LmdbStore::open(store_config(), mailbox_.post()).value();
    NodeConfig config;
    config.rollup = rollup();
    config.listen = {libp2p::Multiaddr::from_text("/ip4/" + place_.ip4() + "/tcp/9222").value()};
    config.node_key.fill(7);
    config.sequencer_key = testing_blocks::sequencer_key();
    config.peers_grace = Seconds(30);
    config.dial_timeout = Seconds(10);
    config.gossip_timestamp_threshold = Seconds(60);
    config.sync_memory = 64 << 20;
    node_ = std::make_unique<Node>(place_.runtime(), config, *store_);
    ASSERT_TRUE(node_->start());
    const auto address = config.listen.front().with_peer_id(node_->host().id());
    const auto connected = net_.run(0, peer_.connect(address));
    ASSERT_TRUE(connected && *connected);
    net_.run_for(Seconds(3));  // GossipSub opens its streams
  }
  void TearDown() override {
    streams_.clear();
    libp2p::runtime::TaskScope scope(place_.runtime());
    scope.spawn(node_->close(Seconds(5)));
    net_.run_for(Seconds(6));
    node_.reset();
    net_.close();
  }
  static LmdbStoreConfig store_config(const testing_store::fs::path& folder) {
    LmdbStoreConfig out = testing_store::config_in(folder);
    out.initial_map = 64 << 20;
    return out;
  }
  LmdbStoreConfig store_config() const { return store_config(folder_.path()); }

  // What a peer writes on the wire to gossip the block.
  static SharedBytes gossiped(const Envelope& envelope) {
    const Bytes data = testing_blocks::message(kChain, Version::v4, envelope);
    return gossipsub::SharedMessage::make(rules::blocks_topic(kChain, Version::v4), data).frame();
  }
  void send_to_node(std::vector<std::string> protocols, SharedBytes bytes) {
    streams_.emplace_back();
    const auto sent =
        net_.run(0, send(peer_, node_->host().id(), std::move(protocols), std::move(bytes), streams_.back()));
    ASSERT_TRUE(sent && *sent);
  }
  void gossip(const SharedBytes& frame) {
    const auto ids = gossipsub::protocol_ids();
    send_to_node({ids.begin(), ids.end()}, frame);
    net_.run_for(Seconds(1));
  }
  // Until the disk has acknowledged block `number`. False when that takes too long.
  bool wait_until_stored(std::uint64_t number) {
    for (int turn = 0; turn < 500 && node_->head().number != number; ++turn)
      // The disk may be at it.
      if (!mailbox_.run_one(std::chrono::milliseconds(20))) net_.run_for(Millis(100));
    return node_->head().number == number;
  }
  static std::vector<std::string> sync_protocol() { return {wire::protocol_id(std::to_string(kChain))}; }

  testing_store::Folder folder_;
  testing_store::Mailbox mailbox_;
  libp2p::SimHosts net_{5};
  libp2p::Host& peer_ = net_.add();
  libp2p::runtime::SimNode place_ = net_.world().add_node();
  std::unique_ptr<LmdbStore> store_;
  std::unique_ptr<Node> node_;
  std::vector<Stream> streams_;
  const Envelope block_ = block(1, rollup().genesis.l2.hash, kBody);
};

TEST_F(BlockBytes, of_a_gossiped_block_go_to_the_disk_without_an_encoding_or_a_copy_of_the_body) {
  const SharedBytes frame = gossiped(block_);
  Count count;
  gossip(frame);
  ASSERT_EQ(node_->stats().accepted, 1u);
  ASSERT_TRUE(wait_until_stored(1));
  const auto made = count.end();
  EXPECT_EQ(encodings, 0u);
  // The frame as it arrives; the decompressed message, which store and envelope hold slices of; the snappy frames, with
  // room for the worst case, which are copied to the database's page.
  EXPECT_THAT(made, ElementsAre(frame->size(), kSignature + kBody, Gt(kSignature + kBody)));
  // The frames into the page: the only copy.
  EXPECT_THAT(Count::copies(), ElementsAre(store_->as_stored(1).value()->body.size()));
  const auto stored = store_->by_number(1).value();
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->body, payload::encode_envelope(Version::v4, block_));
}

TEST_F(BlockBytes, of_blocks_that_are_committed_together_go_to_the_disk_as_they_are) {
  constexpr std::uint64_t kBlocks = 4;
  std::vector<payload::Block> blocks;
  payload::Hash parent = rollup().genesis.l2.hash;
  for (std::uint64_t number = 1; number <= kBlocks; ++number) {
    blocks.push_back(
        payload::encode_block(Version::v4, std::make_shared<const Envelope>(block(number, parent, kBody))));
    parent = blocks.back().hash();
  }
  encodings = 0;
  Count count;
  std::size_t kept = 0;
  for (const auto& made : blocks)  // the writer takes the first, and the others when it has committed that one
    store_->keep(StoredBlock(made), std::nullopt, true, [&kept](const auto& outcome) { kept += outcome ? 1 : 0; });
  mailbox_.run_until([&] { return kept == kBlocks; });
  count.end();
  EXPECT_EQ(encodings, 0u);
  std::vector<std::size_t> stored;
  std::size_t unframed = 0;
  for (std::uint64_t number = 1; number <= kBlocks; ++number) {
    const StoredBlock block = *store_->as_stored(number).value();
    stored.push_back(block.body.size());
    if (!block.framed) ++unframed;
  }
  EXPECT_GE(unframed, 1u) << "the first may have been committed alone, and the last";
  EXPECT_THAT(Count::copies(), testing::UnorderedElementsAreArray(stored)) << "each into its page, the only copy";
}

TEST_F(BlockBytes, of_a_stored_block_are_served_as_they_lie_on_the_disk) {
  gossip(gossiped(block_));
  ASSERT_TRUE(wait_until_stored(1));
  const auto frames = store_->as_stored(1).value()->body.size();
  const auto request = wire::encode_request(1);
  const SharedBytes asked = libp2p::share(libp2p::to_bytes(request));
  Count count;
  send_to_node(sync_protocol(), asked);
  const auto length = net_.run(0, length_of_answer(streams_.back()));
  const auto made = count.end();
  EXPECT_EQ(length, 5 + frames);
  EXPECT_EQ(encodings, 0u);
  EXPECT_THAT(made, ElementsAre(frames));
  EXPECT_THAT(Count::copies(), ElementsAre(frames)) << "out of the page";
}

TEST_F(BlockBytes, of_a_synced_block_go_to_the_disk_without_an_encoding) {
  const Bytes body = payload::encode_envelope(Version::v4, block_);
  const SharedBytes answer = libp2p::share(wire::encode_response(wire::ResponseVersion::envelope, body));
  peer_.set_stream_handler(sync_protocol().front(),
                           [answer](Stream stream) { return serve(std::move(stream), answer); });
  const SharedBytes above = gossiped(block(2, block_.payload.block_hash, 2000));
  Count count;
  gossip(above);
  ASSERT_TRUE(wait_until_stored(2));
  const auto made = count.end();
  EXPECT_EQ(encodings, 0u);
  // The answer, whose buffer grows as it arrives; and its snappy frames, if it was committed alone.
  ASSERT_THAT(made.size(), testing::AllOf(testing::Ge(2u), testing::Le(3u)));
  EXPECT_LT(made[0], kBody);
  EXPECT_GT(made[1], kBody);
  // The answer as its buffer grows; the body into the page.
  EXPECT_THAT(Count::copies(), ElementsAre(Lt(kBody), store_->as_stored(1).value()->body.size()));
  EXPECT_EQ(store_->by_number(1).value()->body, body);
}

TEST_F(BlockBytes, of_a_published_block_are_encoded_once) {
  std::optional<Result<void>> done;
  Count count;
  node_->publish(std::make_shared<const Envelope>(block_),
                 [&done](Result<void> outcome) { done = std::move(outcome); });
  net_.run_for(Seconds(1));
  ASSERT_TRUE(wait_until_stored(1));
  net_.run_for(Seconds(1));  // it is gossiped when it is stored
  const auto made = count.end();
  ASSERT_TRUE(done && *done);
  EXPECT_EQ(encodings, 1u);
  EXPECT_EQ(std::count(made.begin(), made.end(), kBody), 0) << "the body is encoded into the message";
  // The transaction into the message, the frames into the page, the compressed message into its gossip frame.
  EXPECT_THAT(Count::copies(), ElementsAre(Lt(kBody), store_->as_stored(1).value()->body.size(), Lt(kBody)));
}

// Copies of at least 2 KiB together, whatever their sizes, for blocks of several sizes. The peer runs in this process,
// so its copies count as well.
class BlockBytesOfSize : public BlockBytes, public testing::WithParamInterface<std::size_t> {
 protected:
  const Envelope sized_ = block(1, rollup().genesis.l2.hash, GetParam());
};

TEST_P(BlockBytesOfSize, of_a_gossiped_block_are_copied_in_pieces_no_more_than_is_explained) {
  const SharedBytes frame = gossiped(sized_);
  Count count;
  gossip(frame);
  ASSERT_TRUE(wait_until_stored(1));
  count.end();
  // Frames: three that are not this node's (the peer's queue into its frames; into the simulated link and out of it),
  // the frame as it is collected, the body into snappy frames where it does not compress, and these into the page.
  // Beside them the buffer of a frame, which grows to 256 KiB, 1 MiB, 4 MiB and the whole (0.6 frames), and the rest of
  // a message of Noise, which is moved to the front of the input (0.3).
  EXPECT_LE(Count::in_pieces(), 7 * frame->size());
  EXPECT_GE(Count::in_pieces(), 4 * frame->size()) << "the count sees what is copied in pieces";
}

TEST_P(BlockBytesOfSize, of_a_synced_block_are_copied_in_pieces_no_more_than_is_explained) {
  const Bytes body = payload::encode_envelope(Version::v4, sized_);
  const SharedBytes answer = libp2p::share(wire::encode_response(wire::ResponseVersion::envelope, body));
  peer_.set_stream_handler(sync_protocol().front(),
                           [answer](Stream stream) { return serve(std::move(stream), answer); });
  const SharedBytes above = gossiped(block(2, sized_.payload.block_hash, 2000));
  Count count;
  gossip(above);
  ASSERT_TRUE(wait_until_stored(2));
  count.end();
  // Answers: three that are not this node's, as above; into the stream's buffer, which grows as the answer arrives (up
  // to 1.7), and out of it (0.9); a chunk of snappy that came in two pieces (1); the chunk into the body (1), whose
  // buffer doubles (1.9); the body into snappy frames, if it is committed alone (1), and into the page (1); and the
  // rests of messages of Noise (0.3).
  EXPECT_LE(Count::in_pieces(), 12 * answer->size());
  EXPECT_GE(Count::in_pieces(), 6 * answer->size()) << "the count sees what is copied in pieces";
}

INSTANTIATE_TEST_SUITE_P(Sizes, BlockBytesOfSize, testing::Values(100'003, 1'000'003, 9'000'003));

}  // namespace
}  // namespace opp2p
