// The version of this program: that of the project and the commit that it was built from, "0.1.0-1a2b3c4d", with
// "-dirty" behind it when files had been changed since. The version alone where there is no repository, as in a
// release's archive. Made at build time by cmake/WriteVersion.cmake.
#pragma once

#include <string>

namespace opp2p {

std::string program_version();

}  // namespace opp2p
