#include "libp2p/multiformats/multiaddr.hpp"

#include "libp2p/multiformats/multiaddr_value.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::multiformats {
namespace {

struct View {
  const ProtocolEntry* entry;
  ByteView value;
  std::size_t size;  // of the whole component
};

// The component at the front of `in`, its value checked.
Result<View> read_component(ByteView in) {
  OPP2P_TRY(const auto code, read_varint(in));
  const auto* const entry = find_protocol(code.value);
  if (entry == nullptr)
    return Error::at(0, Errc::unsupported, "no multiaddr protocol has the code " + std::to_string(code.value));
  std::size_t at = code.size;
  std::size_t size = value_size(entry->kind);
  if (size == kVariableSize) {
    auto length = read_varint(in.subspan(at));
    if (!length)
      return Error::at(at, length.error().code(), "length of /" + std::string(entry->name) + " is no varint");
    at += length->size;
    if (length->value > in.size() - at)
      return Error::at(at, Errc::truncated, "value of /" + std::string(entry->name) + " is cut");
    size = static_cast<std::size_t>(length->value);
  }
  if (size > in.size() - at) return Error::at(at, Errc::truncated, "value of /" + std::string(entry->name) + " is cut");
  const auto value = in.subspan(at, size);
  if (auto checked = check_value(entry->kind, value); !checked)
    return Error::at(at, checked.error().code(), "/" + std::string(entry->name) + ": " + checked.error().text());
  return View{entry, value, at + size};
}

// Calls take(view, offset) for each component of a valid address until it answers false.
template <class Take>
void walk(ByteView binary, Take take) {
  for (std::size_t at = 0; at < binary.size();) {
    const auto component = read_component(binary.subspan(at));
    if (!component || !take(*component, at)) return;
    at += component->size;
  }
}

void append_text(std::string& out, const View& component) {
  out.push_back('/');
  out += component.entry->name;
  const auto value = value_to_text(component.entry->kind, component.value);
  // A path brings its own slash.
  if (!value.empty() && component.entry->kind != ValueKind::path) out.push_back('/');
  out += value;
}

Error too_large(std::string_view what) {
  return fail(Errc::too_large,
              "multiaddr's " + std::string(what) + " is longer than " + std::to_string(kMaxMultiaddrSize) + " bytes");
}

// The part of `rest` up to the next '/', taken off with the slash.
std::string_view take_part(std::string_view& rest, bool& more) {
  const auto slash = rest.find('/');
  const auto part = rest.substr(0, slash);
  more = slash != std::string_view::npos;
  rest = more ? rest.substr(slash + 1) : std::string_view();
  return part;
}

Result<Bytes> binary_of(std::string_view text) {
  const auto whole = text.data();
  while (text.ends_with('/')) text.remove_suffix(1);
  if (text.empty()) return Error::at(0, Errc::malformed, "multiaddr is empty");
  if (!text.starts_with('/')) return Error::at(0, Errc::malformed, "multiaddr does not begin with '/'");
  auto rest = text.substr(1);
  Bytes out;
  for (bool more = true; more;) {
    const auto at = static_cast<std::size_t>(rest.data() - whole);
    const auto name = take_part(rest, more);
    const auto* const entry = find_protocol(name);
    if (entry == nullptr)
      return Error::at(at, Errc::unsupported,
                       "no multiaddr protocol is called '" + std::string(name.substr(0, 64)) + "'");
    append_varint(out, static_cast<std::uint64_t>(entry->protocol));
    if (entry->kind == ValueKind::none) continue;
    if (!more) return Error::at(text.size(), Errc::truncated, "value of /" + std::string(name) + " is missing");
    const auto value_at = static_cast<std::size_t>(rest.data() - whole);
    std::string_view value_text;
    if (entry->kind == ValueKind::path) {
      value_text = std::string_view(rest.data() - 1, rest.size() + 1);  // all that follows, with the slash before it
      more = false;
    } else {
      value_text = take_part(rest, more);
    }
    auto value = value_from_text(entry->kind, value_text);
    if (value) {
      if (auto checked = check_value(entry->kind, *value); !checked) value = std::move(checked).error();
    }
    if (!value) return Error::at(value_at, value.error().code(), "/" + std::string(name) + ": " + value.error().text());
    if (value_size(entry->kind) == kVariableSize) append_varint(out, value->size());
    append(out, *value);
  }
  return out;
}

}  // namespace

std::string_view to_string(Protocol protocol) {
  const auto* const entry = find_protocol(static_cast<std::uint64_t>(protocol));
  return entry == nullptr ? std::string_view("unknown") : entry->name;
}

Result<Multiaddr> Multiaddr::from_text(std::string_view text) {
  if (text.size() > kMaxMultiaddrSize) return too_large("text");
  OPP2P_TRY(const auto binary, binary_of(text));
  return from_bytes(binary);
}

Result<Multiaddr> Multiaddr::from_bytes(ByteView binary) {
  if (binary.size() > kMaxMultiaddrSize) return too_large("binary form");
  if (binary.empty()) return Error::at(0, Errc::truncated, "multiaddr is empty");
  std::string text;
  for (std::size_t at = 0; at < binary.size();) {
    auto component = read_component(binary.subspan(at));
    if (!component) {
      const auto& error = component.error();
      return Error::at(at + error.offset().value_or(0), error.code(), error.text());
    }
    at += component->size;
    if (component->entry->kind == ValueKind::path && at < binary.size())
      return Error::at(at, Errc::malformed, "a path is the last component of a multiaddr");
    append_text(text, *component);
    if (text.size() > kMaxMultiaddrSize) return too_large("text");
  }
  return Multiaddr(to_bytes(binary), std::move(text));
}

std::vector<Multiaddr::Component> Multiaddr::components() const {
  std::vector<Component> out;
  walk(binary_, [&out](const View& component, std::size_t) {
    out.push_back({component.entry->protocol, to_bytes(component.value)});
    return true;
  });
  return out;
}

std::optional<std::string> Multiaddr::value_of(Protocol protocol) const {
  std::optional<std::string> out;
  walk(binary_, [&](const View& component, std::size_t) {
    if (component.entry->protocol == protocol) out = value_to_text(component.entry->kind, component.value);
    return !out;
  });
  return out;
}

bool Multiaddr::has(Protocol protocol) const {
  bool found = false;
  walk(binary_, [&](const View& component, std::size_t) {
    found = component.entry->protocol == protocol;
    return !found;
  });
  return found;
}

std::optional<PeerId> Multiaddr::peer_id() const {
  ByteView last;
  walk(binary_, [&](const View& component, std::size_t) {
    if (component.entry->protocol == Protocol::p2p) last = component.value;
    return true;
  });
  if (last.empty()) return std::nullopt;
  auto id = PeerId::from_bytes(last);
  if (!id) return std::nullopt;
  return std::move(*id);
}

namespace {

// Where the /p2p/ID at the end begins.
std::optional<std::size_t> final_peer(ByteView binary) {
  std::optional<std::size_t> out;
  walk(binary, [&](const View& component, std::size_t at) {
    out = component.entry->protocol == Protocol::p2p ? std::optional(at) : std::nullopt;
    return true;
  });
  return out;
}

}  // namespace

Multiaddr Multiaddr::with_peer_id(const PeerId& id) const {
  // Nothing can follow a path, and an unknown id has no text.
  if (id.empty() || final_peer(binary_) || has(Protocol::unix_path)) return *this;
  Bytes binary = binary_;
  append_varint(binary, static_cast<std::uint64_t>(Protocol::p2p));
  append_varint(binary, id.bytes().size());
  append(binary, id.bytes());
  auto made = from_bytes(binary);
  return made ? std::move(*made) : *this;
}

Multiaddr Multiaddr::without_peer_id() const {
  const auto at = final_peer(binary_);
  if (!at) return *this;
  auto made = from_bytes(bytes().first(*at));
  return made ? std::move(*made) : Multiaddr();  // nothing is left of an address that was /p2p/ID alone
}

bool Multiaddr::starts_with(const Multiaddr& prefix) const {
  bool found = prefix.empty();
  walk(binary_, [&](const View& component, std::size_t at) {
    const auto end = at + component.size;
    if (end == prefix.binary_.size()) found = equal(bytes().first(end), prefix.bytes());
    return end < prefix.binary_.size();
  });
  return found;
}

}  // namespace libp2p::multiformats
