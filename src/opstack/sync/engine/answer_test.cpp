#include "opstack/sync/engine/answer.hpp"

#include <gtest/gtest.h>

namespace opstack::sync {
namespace {

Answer judged(const libp2p::Bytes& bytes) {
  wire::ResponseDecoder decoder;
  (void)decoder.push(bytes);
  return judge_answer(7, payload::Version::v3, decoder);
}

TEST(Answer, that_refuses_says_how) {
  EXPECT_EQ(judged({1}).kind, AnswerKind::not_found);
  EXPECT_EQ(judged({2}).kind, AnswerKind::invalid_request);
  for (const std::uint8_t code : {3, 4, 255}) {
    EXPECT_EQ(judged({code}).kind, AnswerKind::throttled);
    EXPECT_EQ(judged({code}).detail, "result code " + std::to_string(code));
  }
}

TEST(Answer, of_nothing_is_a_failure_and_one_that_is_cut_off_is_malformed) {
  EXPECT_EQ(judged({}).kind, AnswerKind::failed);
  EXPECT_EQ(judged({0}).kind, AnswerKind::malformed);
  EXPECT_EQ(judged({0, 0, 0, 0, 0}).kind, AnswerKind::malformed);
}

}  // namespace
}  // namespace opstack::sync
