#include "libp2p/host/kinds.hpp"

#include <algorithm>
#include <utility>

// Each folder's own header declares its function as well; to name them here keeps a new one at one line.
#define OPP2P_SECURITY(name, when) \
  namespace libp2p::name {         \
  SecurityFactory security();      \
  }
#define OPP2P_MUXER(name, when) \
  namespace libp2p::name {      \
  MuxerKind muxer();            \
  }
#include "libp2p/host/kinds.def"
#undef OPP2P_SECURITY
#undef OPP2P_MUXER

namespace libp2p {
namespace {

enum class Offered : std::uint8_t { by_default, on_request };

template <class Kind>
struct BuiltIn {
  std::string_view name;
  Offered offered;
  Kind (*make)();
};

constexpr BuiltIn<SecurityFactory> kSecurities[] = {
#define OPP2P_SECURITY(name, when) {#name, Offered::when, &name::security},
#define OPP2P_MUXER(name, when)
#include "libp2p/host/kinds.def"
#undef OPP2P_SECURITY
#undef OPP2P_MUXER
};

constexpr BuiltIn<MuxerKind> kMuxers[] = {
#define OPP2P_SECURITY(name, when)
#define OPP2P_MUXER(name, when) {#name, Offered::when, &name::muxer},
#include "libp2p/host/kinds.def"
#undef OPP2P_SECURITY
#undef OPP2P_MUXER
};

template <class Kind, std::size_t n>
std::vector<std::string_view> names_of(const BuiltIn<Kind> (&table)[n]) {
  std::vector<std::string_view> out;
  for (const auto& entry : table) out.push_back(entry.name);
  return out;
}

template <class Kind, std::size_t n>
std::vector<Kind> defaults_of(const BuiltIn<Kind> (&table)[n]) {
  std::vector<Kind> out;
  for (const auto& entry : table) {
    if (entry.offered == Offered::by_default) out.push_back(entry.make());
  }
  return out;
}

template <class Kind, std::size_t n>
Result<std::vector<Kind>> named(const BuiltIn<Kind> (&table)[n], const std::vector<std::string>& names,
                                const std::string& what) {
  std::vector<Kind> out;
  for (const std::string& name : names) {
    const auto found =
        std::find_if(std::begin(table), std::end(table), [&name](const auto& entry) { return entry.name == name; });
    if (found == std::end(table)) {
      std::string known;
      for (const auto& entry : table) known += (known.empty() ? "" : ", ") + std::string(entry.name);
      return fail(Errc::not_found, "there is no " + what + " '" + name + "'; there are: " + known);
    }
    out.push_back(found->make());
  }
  return out;
}

}  // namespace

std::vector<std::string_view> security_names() { return names_of(kSecurities); }
std::vector<std::string_view> muxer_names() { return names_of(kMuxers); }
std::vector<SecurityFactory> default_securities() { return defaults_of(kSecurities); }
std::vector<MuxerKind> default_muxers() { return defaults_of(kMuxers); }

Result<std::vector<SecurityFactory>> securities_named(const std::vector<std::string>& names) {
  return named(kSecurities, names, "security protocol");
}

Result<std::vector<MuxerKind>> muxers_named(const std::vector<std::string>& names) {
  return named(kMuxers, names, "multiplexer");
}

}  // namespace libp2p
