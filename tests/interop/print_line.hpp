// How a peer of the interop tests tells what happens: a line of JSON, at once.
#pragma once

#include <boost/json.hpp>
#include <cstdio>

namespace interop {

inline void print(const boost::json::object& line) {
  std::printf("%s\n", boost::json::serialize(line).c_str());
  std::fflush(stdout);
}

}  // namespace interop
