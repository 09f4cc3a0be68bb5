#include "sim/churn/trend.hpp"

namespace opp2p::sim::churn {

double slope(std::span<const Point> points) {
  if (points.size() < 2) return 0;
  const auto count = static_cast<double>(points.size());
  Point middle;
  for (const Point& point : points) {
    middle.x += point.x / count;
    middle.y += point.y / count;
  }
  double spread = 0;
  double together = 0;
  for (const Point& point : points) {
    spread += (point.x - middle.x) * (point.x - middle.x);
    together += (point.x - middle.x) * (point.y - middle.y);
  }
  return spread > 0 ? together / spread : 0;
}

}  // namespace opp2p::sim::churn
