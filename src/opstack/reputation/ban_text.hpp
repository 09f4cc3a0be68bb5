// Bans and scores in words, for messages and logs. Pure functions.
#pragma once

#include <string>

#include "opstack/reputation/ban.hpp"

namespace opstack::reputation {

// "-103.20": two decimals.
std::string score_text(double score);
// "2026-11-30 12:34:56 UTC"
std::string time_text(UnixTime time);
// "banned until 2026-11-30 12:34:56 UTC: it sent 8 different invalid messages within ten minutes"
std::string ban_text(const Ban& ban);

}  // namespace opstack::reputation
