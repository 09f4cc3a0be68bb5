#include "opstack/sync/engine/answer.hpp"

#include "opstack/rules/block_rules.hpp"

namespace opstack::sync {

using opstack::sync::wire::ResponseDecoder;
using opstack::sync::wire::ResponseVersion;
using opstack::sync::wire::ResultCode;
using payload::Version;

std::string_view to_string(AnswerKind kind) {
  switch (kind) {
    case AnswerKind::block: return "block";
    case AnswerKind::not_found: return "not found";
    case AnswerKind::invalid_request: return "invalid request";
    case AnswerKind::throttled: return "throttled";
    case AnswerKind::failed: return "failed";
    case AnswerKind::unsupported: return "unsupported";
    case AnswerKind::malformed: return "malformed";
    case AnswerKind::wrong_number: return "wrong number";
    case AnswerKind::bad_hash: return "bad hash";
    case AnswerKind::altered: return "altered";
  }
  return "unknown";
}

Version answer_payload_version(ResponseVersion response, Version at_block) {
  if (response == ResponseVersion::payload) return at_block == Version::v1 ? Version::v1 : Version::v2;
  return at_block == Version::v4 ? Version::v4 : Version::v3;
}

ResponseVersion response_version(Version version) {
  return version <= Version::v2 ? ResponseVersion::payload : ResponseVersion::envelope;
}

Answer judge_answer(std::uint64_t requested, Version at_block, ResponseDecoder& decoder) {
  if (auto finished = decoder.finish(); !finished) {
    // Nothing at all is what a peer gives that closes on us: a failure, not a lie.
    const auto kind = decoder.code() ? AnswerKind::malformed : AnswerKind::failed;
    return {kind, finished.error().message()};
  }
  if (decoder.refused()) {
    const std::uint8_t code = *decoder.code();
    if (code == static_cast<std::uint8_t>(ResultCode::not_found)) return {AnswerKind::not_found, ""};
    if (code == static_cast<std::uint8_t>(ResultCode::invalid_request)) return {AnswerKind::invalid_request, ""};
    return {AnswerKind::throttled, "result code " + std::to_string(code)};
  }
  const Version version = answer_payload_version(*decoder.version(), at_block);
  auto decoded = payload::decode_block(version, libp2p::share(decoder.take_body()));
  if (!decoded) return {AnswerKind::malformed, decoded.error().message()};
  auto& block = *decoded;
  if (block.number() != requested)
    return {AnswerKind::wrong_number,
            "asked for block " + std::to_string(requested) + ", got block " + std::to_string(block.number())};
  auto [header, computed] = payload::make_header(*block.envelope);
  block.header = libp2p::share(std::move(header));
  if (computed != block.hash())
    return {AnswerKind::bad_hash, "block " + std::to_string(requested) + " claims hash " +
                                      libp2p::to_hex0x(block.hash()) + ", its contents hash to " +
                                      libp2p::to_hex0x(computed)};
  if (payload::has_uncovered_withdrawals(block.payload()))
    return {AnswerKind::altered, "block " + std::to_string(requested) + " has " +
                                     std::to_string(block.payload().withdrawals->size()) +
                                     " withdrawals in its list, which its hash does not cover and which must be empty"};
  return Answer(std::move(*decoded));
}

Answer judge_answer(std::uint64_t requested, const chain::RollupConfig& rollup, ResponseDecoder& decoder) {
  Answer answer = judge_answer(requested, rollup.payload_version(rollup.timestamp_for_block(requested)), decoder);
  if (answer.kind != AnswerKind::block) return answer;
  const auto fields = opstack::rules::check_block_fields(rollup, *answer.block.envelope);
  if (fields.verdict != opstack::rules::Verdict::accept) answer.broken_rule = fields.text();
  const std::uint64_t due = rollup.timestamp_for_block(requested);
  if (const std::uint64_t time = answer.block.payload().timestamp; time != due)
    answer.wrong_time = "block " + std::to_string(requested) + " (" + libp2p::to_hex0x(answer.block.hash()) +
                        ") has timestamp " + std::to_string(time) + ", the rollup configuration gives " +
                        std::to_string(due);
  return answer;
}

}  // namespace opstack::sync
