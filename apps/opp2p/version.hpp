// The version of this program: the project's version and the commit, for example "0.1.0-1a2b3c4d", with "-dirty" if
// files were changed. Without a repository, as in a release archive, it is the project's version alone. Made at build
// time by cmake/WriteVersion.cmake.
#pragma once

#include <string>

namespace opp2p {

std::string program_version();

}  // namespace opp2p
