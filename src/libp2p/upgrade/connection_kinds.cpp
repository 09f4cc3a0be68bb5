#include "libp2p/upgrade/connection_kinds.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/protocols/multistream/negotiator.hpp"

namespace libp2p {
namespace {

template <class Kind>
const Kind* find_kind(const std::vector<Kind>& kinds, std::string_view id) {
  const auto found = std::find_if(kinds.begin(), kinds.end(), [id](const Kind& kind) { return kind.id == id; });
  return found == kinds.end() ? nullptr : &*found;
}

template <class Kind>
std::vector<std::string> ids_of(const std::vector<Kind>& kinds) {
  std::vector<std::string> out;
  for (const auto& kind : kinds) out.emplace_back(kind.id);
  return out;
}

template <class Kind>
Result<void> check(const std::vector<Kind>& kinds, const std::string& what) {
  const auto wrong = [](const std::string& text) { return fail(Errc::invalid_argument, text); };
  if (kinds.empty()) return wrong("a host needs a " + what + ", and none is given");
  if (kinds.size() > ConnectionKinds::kMost) {
    return wrong(std::to_string(kinds.size()) + " " + what + "s are given, at most " +
                 std::to_string(ConnectionKinds::kMost) + " can be offered");
  }
  for (const Kind& kind : kinds) {
    const std::string id(kind.id);
    const bool fits = !id.empty() && id.size() < multistream::kMaxMessage && id.find('\n') == std::string::npos;
    if (!fits || !kind.make) return wrong("'" + id + "' cannot be offered as a " + what);
    if (find_kind(kinds, id) != &kind) return wrong("the " + what + " " + id + " is given twice");
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const ConnectionKinds>> ConnectionKinds::make(const std::vector<SecurityFactory>& securities,
                                                                     std::vector<MuxerKind> muxers,
                                                                     const crypto::PrivateKey& identity, Rng& rng) {
  OPP2P_TRYV(check(securities, "security protocol"));
  OPP2P_TRYV(check(muxers, "multiplexer"));
  auto out = std::make_shared<ConnectionKinds>();
  for (const auto& factory : securities) {
    auto kind = factory.make(identity, rng);
    if (!kind) return std::move(kind).error().within(std::string(factory.id));
    if (!kind->begin)
      return fail(Errc::invalid_argument,
                  "the security protocol " + std::string(factory.id) + " has no function to begin with");
    kind->id = factory.id;  // the id that was checked is the one that is offered
    out->securities.push_back(std::move(*kind));
  }
  out->muxers = std::move(muxers);
  return std::shared_ptr<const ConnectionKinds>(std::move(out));
}

const SecurityKind* ConnectionKinds::find_security(std::string_view id) const { return find_kind(securities, id); }
const MuxerKind* ConnectionKinds::find_muxer(std::string_view id) const { return find_kind(muxers, id); }
std::vector<std::string> ConnectionKinds::security_ids() const { return ids_of(securities); }
std::vector<std::string> ConnectionKinds::muxer_ids() const { return ids_of(muxers); }

}  // namespace libp2p
