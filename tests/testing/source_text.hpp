// The files of the repository, for tests that hold a document to the code.
#pragma once

#include <string>
#include <string_view>

namespace testing_vectors {

// The text of a file, named from the root of the repository. Fails the test when it cannot be read.
std::string source_text(std::string_view path);

}  // namespace testing_vectors
