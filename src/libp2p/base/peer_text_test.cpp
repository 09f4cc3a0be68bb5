#include "libp2p/base/peer_text.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"

namespace libp2p {
namespace {

TEST(PeerText, LeavesCleanTextAsItIs) {
  EXPECT_EQ(peer_text("op-node/v1.19.6"), "op-node/v1.19.6");
  EXPECT_EQ(peer_text("caf\xc3\xa9 \xe2\x98\x95 \xf0\x9f\x98\x80"), "caf\xc3\xa9 \xe2\x98\x95 \xf0\x9f\x98\x80");
  EXPECT_EQ(peer_text(""), "");
}

TEST(PeerText, ReplacesEachByteThatBelongsToNoCharacter) {
  EXPECT_EQ(peer_text("caf\xe9/1"), "caf\xef\xbf\xbd/1");
  EXPECT_EQ(peer_text("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");                                  // overlong
  EXPECT_EQ(peer_text("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");                  // a surrogate
  EXPECT_EQ(peer_text("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // above U+10FFFF
  EXPECT_EQ(peer_text("a\xe2\x98"), "a\xef\xbf\xbd\xef\xbf\xbd");                                // ends too early
}

TEST(PeerText, EscapesWhatMovesACursorOrTurnsText) {
  EXPECT_EQ(peer_text("a\x1b[2Jb\nc"), "a\\u001b[2Jb\\u000ac");
  EXPECT_EQ(peer_text(std::string_view("\0", 1)), "\\u0000");
  EXPECT_EQ(peer_text("\xc2\x9b"
                      "31m"),
            "\\u009b31m");  // the one-character form of ESC [
  EXPECT_EQ(peer_text("\xe2\x80\xae"
                      "exe"),
            "\\u202eexe");                      // right-to-left override
  EXPECT_EQ(peer_text("\xd8\x9c"), "\\u061c");  // Arabic letter mark
}

TEST(PeerText, CutsBetweenCharactersAndSaysHowMuchIsMissing) {
  EXPECT_EQ(peer_text("abcdef", 4), "abcd (2 more bytes)");
  EXPECT_EQ(peer_text("abc\xc3\xa9", 4), "abc (2 more bytes)");
  EXPECT_EQ(peer_text("ab\x1b", 4), "ab (1 more bytes)");
  EXPECT_EQ(peer_text("abcd", 4), "abcd");
}

TEST(PeerText, IsValidTextAndBoundedWhateverTheBytes) {
  SeededRng rng(7);
  for (int round = 0; round < 2000; ++round) {
    Bytes bytes(rng.below(96));
    rng.fill(bytes);
    const std::string text = peer_text(as_text(bytes), 64);
    EXPECT_LE(text.size(), 64U + sizeof " (96 more bytes)");
    for (std::string_view rest = text; !rest.empty();) {
      const auto [point, size] = first_utf8_character(rest);
      ASSERT_NE(size, 0U);
      ASSERT_FALSE(is_control_character(point));
      rest.remove_prefix(size);
    }
    EXPECT_EQ(peer_text(text, 1024), text);
  }
}

}  // namespace
}  // namespace libp2p
