#include "testing/source_text.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace testing_vectors {

std::string source_text(std::string_view path) {
  const auto file = std::filesystem::path(OPP2P_SOURCE_DIR) / path;
  std::ifstream in(file, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  if (!in) ADD_FAILURE() << "cannot read " << file;
  return out.str();
}

}  // namespace testing_vectors
