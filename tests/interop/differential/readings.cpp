#include "formats.hpp"
#include "libp2p/base/uvarint.hpp"
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/multiformats/varint.hpp"
#include "libp2p/protocols/gossipsub/frame.hpp"
#include "libp2p/protocols/identify/identify.hpp"
#include "libp2p/protocols/multistream/negotiator.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/encoding/snappy_frame.hpp"
#include "opstack/rules/block_rules.hpp"

namespace differential {
namespace {

using namespace libp2p;
using opstack::payload::Version;

constexpr std::size_t kMaxContents = 1 << 20;  // as the judge
const Version kVersions[] = {Version::v1, Version::v2, Version::v3, Version::v4};

Reading refused(const Error& error) { return {Verdict::refuse, 0, {}, error.message()}; }
Reading accepted(const Digest& digest) { return {Verdict::accept, digest.sum(), {}, {}}; }

Reading snappy_length(ByteView input) {
  const auto length = opstack::encoding::snappy_decoded_length(input);
  if (!length) return refused(length.error());
  Digest read;
  read.number(*length);
  return accepted(read);
}

Reading contents(const Result<Bytes>& result) {
  if (!result) return refused(result.error());
  Digest read;
  read.bytes(*result);
  return accepted(read);
}

Reading varint(ByteView input) {
  const auto value = multiformats::read_varint(input);
  if (!value) return refused(value.error());
  Digest read;
  read.number(value->value);
  read.number(value->size);
  return accepted(read);
}

Reading uvarint(ByteView input) {
  const auto value = read_uvarint(input);
  if (value.fault != Uvarint::Fault::none) return {};
  Digest read;
  read.number(value.value);
  read.number(value.size);
  return accepted(read);
}

Reading frames(ByteView input) {
  gossipsub::FrameReader reader(10 << 20);
  Digest read;
  for (;;) {
    const auto frame = reader.next(input);
    if (!frame) return {Verdict::refuse, read.sum(), {}, frame.error().message()};
    if (!*frame) break;
    const auto prefix = multiformats::read_varint(***frame);
    read.bytes(ByteView(***frame).subspan(prefix->size));
  }
  return {reader.at_boundary() ? Verdict::accept : Verdict::incomplete, read.sum(), {}, {}};
}

Reading tokens(ByteView input) {
  Digest read;
  std::size_t count = 0;
  const multistream::Matcher note = [&](std::string_view token) {
    read.text(token);
    ++count;
    return false;
  };
  auto listener = multistream::Negotiator::listener(&note);
  Bytes header;
  multistream::append_message(header, multistream::kProtocolId);
  (void)listener.on_bytes(header);
  bool whole = true;
  for (const auto& byte : input) {
    const std::size_t before = count;
    const auto done = listener.on_bytes({&byte, 1});
    if (!done) {
      const bool too_many = done.error() == Errc::exhausted;
      return {Verdict::refuse, read.sum(), too_many ? "proposals" : "", done.error().message()};
    }
    whole = count > before;
  }
  return {whole ? Verdict::accept : Verdict::incomplete, read.sum(), {}, {}};
}

Reading identify_stream(ByteView input) {
  const auto message = identify::decode_parts(input);
  if (!message) {
    auto out = refused(message.error());
    if (message.error() == Errc::exhausted) out.bound = "entries";
    return out;
  }
  Digest read;
  const auto optional_string = [&](const std::optional<std::string>& value) {
    read.optional_text(value ? std::optional<std::string_view>(*value) : std::nullopt);
  };
  read.optional(message->public_key);
  read.number(message->listen_addrs.size());
  for (const auto& address : message->listen_addrs) read.bytes(address);
  read.number(message->protocols.size());
  for (const auto& protocol : message->protocols) read.text(protocol);
  read.optional(message->observed_addr);
  optional_string(message->protocol_version);
  optional_string(message->agent_version);
  read.optional(message->signed_peer_record);
  return accepted(read);
}

void digest_message(const gossipsub::Message& message, Digest& read) {
  read.optional(message.from);
  read.optional(message.data);
  read.optional(message.seqno);
  read.optional_text(message.topic);
  read.optional(message.signature);
  read.optional(message.key);
}

void digest_control(const gossipsub::Control& control, Digest& read) {
  const auto ids = [&](const std::vector<ByteView>& list) {
    read.number(list.size());
    for (const auto& id : list) read.bytes(id);
  };
  read.number(control.ihave.size());
  for (const auto& entry : control.ihave) {
    read.optional_text(entry.topic);
    ids(entry.ids);
  }
  read.number(control.iwant.size());
  for (const auto& entry : control.iwant) ids(entry.ids);
  read.number(control.graft.size());
  for (const auto& entry : control.graft) read.optional_text(entry.topic);
  read.number(control.prune.size());
  for (const auto& entry : control.prune) {
    read.optional_text(entry.topic);
    read.number(entry.peers.size());
    for (const auto& peer : entry.peers) {
      read.optional(peer.peer_id);
      read.optional(peer.signed_peer_record);
    }
    read.flag(entry.backoff.has_value());
    if (entry.backoff) read.number(*entry.backoff);
  }
  read.number(control.idontwant.size());
  for (const auto& entry : control.idontwant) ids(entry.ids);
  read.flag(control.extensions.has_value());
  if (!control.extensions) return;
  read.optional_flag(control.extensions->partial_messages);
  read.optional_flag(control.extensions->test_extension);
}

Reading rpc(ByteView input) {
  gossipsub::RpcLimits limits;
  limits.older_fields = false;  // exactly v1.19.6; what older op-nodes forward is a format of its own
  const auto result = gossipsub::decode_rpc(input, limits);
  if (!result) {
    auto out = refused(result.error());
    if (result.error() == Errc::too_large && out.text.find("too many messages") != std::string::npos)
      out.bound = "messages";
    if (out.text.find("with its partial message") != std::string::npos) out.bound = "partial";
    if (out.text.find("of another wire type are more") != std::string::npos) out.bound = "misread";
    return out;
  }
  Digest read;
  read.number(result->subscriptions.size());
  for (const auto& entry : result->subscriptions) {
    read.optional_flag(entry.subscribe);
    read.optional_text(entry.topic);
    read.optional_flag(entry.requests_partial);
    read.optional_flag(entry.supports_sending_partial);
  }
  read.number(result->publish.size());
  for (const auto& message : result->publish) digest_message(message, read);
  read.flag(result->control.has_value());
  if (result->control) digest_control(*result->control, read);
  read.flag(result->test_extension);
  auto out = accepted(read);
  if (result->ignored > 0) out.bound = "entries";
  return out;
}

Reading older_message(ByteView input) {
  Bytes wrapped{0x12};
  multiformats::append_varint(wrapped, input.size());
  append(wrapped, input);
  return read_forwarded(wrapped);
}

Reading record(ByteView input) {
  const auto opened = multiformats::PeerRecord::open_unmatched(input);
  if (!opened) return refused(opened.error());
  if (!opened->signer_matches) return {};
  Digest read;
  read.bytes(opened->envelope.signer().to_protobuf());
  read.bytes(opened->record.peer_id.bytes());
  read.number(opened->record.seq);
  read.number(opened->record.addresses.size());
  for (const auto& address : opened->record.addresses) read.bytes(address.bytes());
  return accepted(read);
}

void digest_payload(const opstack::payload::ExecutionPayload& p, Digest& read) {
  for (const ByteView part : {ByteView(p.parent_hash), ByteView(p.fee_recipient), ByteView(p.state_root),
                              ByteView(p.receipts_root), ByteView(p.logs_bloom), ByteView(p.prev_randao)})
    read.raw(part);
  for (const auto value : {p.block_number, p.gas_limit, p.gas_used, p.timestamp}) read.number(value);
  read.bytes(p.extra_data);
  read.raw(p.base_fee_per_gas);
  read.raw(p.block_hash);
  read.number(p.transactions.size());
  for (const auto& transaction : p.transactions) read.bytes(transaction);
  read.flag(p.withdrawals.has_value());
  if (p.withdrawals) {
    read.number(p.withdrawals->size());
    for (const auto& withdrawal : *p.withdrawals) {
      read.number(withdrawal.index);
      read.number(withdrawal.validator_index);
      read.raw(withdrawal.address);
      read.number(withdrawal.amount);
    }
  }
  for (const auto& value : {p.blob_gas_used, p.excess_blob_gas}) {
    read.flag(value.has_value());
    if (value) read.number(*value);
  }
  read.flag(p.withdrawals_root.has_value());
  if (p.withdrawals_root) read.raw(*p.withdrawals_root);
}

Reading ssz(ByteView input) {
  if (input.empty()) return {};
  const auto envelope = opstack::payload::decode_envelope(kVersions[input[0] % 4], input.subspan(1));
  if (!envelope) return refused(envelope.error());
  Digest read;
  read.flag(envelope->parent_beacon_block_root.has_value());
  if (envelope->parent_beacon_block_root) read.raw(*envelope->parent_beacon_block_root);
  digest_payload(envelope->payload, read);
  return accepted(read);
}

Reading signature(ByteView input) {
  if (input.size() < 65) return {};
  const auto signer = opstack::rules::recover_signer(kChain, input.subspan(65), input.first(65));
  if (!signer) return refused(signer.error());
  Digest read;
  read.raw(*signer);
  return accepted(read);
}

Reading id(ByteView input) {
  if (input.empty() || input.size() < 1u + input[0]) return {Verdict::refuse, Digest().sum(), {}, "no topic"};
  const auto topic = as_text(input.subspan(1, input[0]));
  Digest read;
  const auto contents = opstack::rules::read_message(topic, input.subspan(1u + input[0]));
  read.raw(contents.id);
  return {contents.decompressed ? Verdict::accept : Verdict::refuse, read.sum(), {}, {}};
}

Reading block(ByteView input) {
  if (input.size() < 29) return {};
  opstack::rules::BlockRulesConfig config;
  config.chain_id = kChain;
  config.version = kVersions[input[0] % 4];
  opstack::rules::SignerState signers;
  std::copy_n(input.begin() + 9, 20, signers.current.emplace().begin());
  opstack::rules::BlockRules rules(config);
  const auto now = from_unix_seconds(static_cast<std::int64_t>(load_le64(input.data() + 1)));
  const auto outcome = rules.judge(input.subspan(29), signers, now);
  const Digest nothing;
  switch (outcome.verdict) {
    case opstack::rules::Verdict::accept: return accepted(nothing);
    case opstack::rules::Verdict::ignore: return {Verdict::other, nothing.sum(), {}, outcome.text()};
    case opstack::rules::Verdict::reject: break;
  }
  return {Verdict::refuse, 0, {}, outcome.text()};
}

}  // namespace

Reading read_forwarded(ByteView bytes) {
  const auto result = gossipsub::decode_rpc(bytes, gossipsub::RpcLimits{});
  if (!result) return refused(result.error());
  if (result->publish.size() != 1) return {};
  Digest read;
  digest_message(result->publish[0], read);
  return accepted(read);
}

Reading read_here(Format format, ByteView input) {
  switch (format) {
    case Format::snappy_length: return snappy_length(input);
    case Format::snappy_block: return contents(opstack::encoding::snappy_decompress(input, kMaxContents));
    case Format::snappy_frames: return contents(opstack::encoding::snappy_frame_decode(input, 1 << 28));
    case Format::multiformats_varint: return varint(input);
    case Format::protobuf_varint: return uvarint(input);
    case Format::gossip_frames: return frames(input);
    case Format::multistream: return tokens(input);
    case Format::identify: return identify_stream(input);
    case Format::rpc: return rpc(input);
    case Format::older_message: return older_message(input);
    case Format::peer_record: return record(input);
    case Format::payload_ssz: return ssz(input);
    case Format::block_signature: return signature(input);
    case Format::message_id: return id(input);
    case Format::gossip_block: return block(input);
  }
  return {};
}

}  // namespace differential
