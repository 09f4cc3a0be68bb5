// Trends: whether something that is measured again and again grows. The line of least squares through the points, and
// its slope; noise of either sign cancels in it, growth does not.
//
// Pure.
#pragma once

#include <span>

namespace opp2p::sim::churn {

struct Point {
  double x = 0;
  double y = 0;
};
// Of the line, in y for each x; 0 for fewer than two points, or when all have one x.
double slope(std::span<const Point> points);

}  // namespace opp2p::sim::churn
