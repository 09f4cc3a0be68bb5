// Reads the lists of a BlockingGater from its store.
#include "libp2p/base/peer_text.hpp"
#include "libp2p/host/blocking_gater.hpp"
#include "libp2p/storage/batch_writer.hpp"
#include "libp2p/storage/records/gater_records.hpp"

namespace libp2p {
namespace {

using storage::Change;
using storage::GaterRecord;

// What one scan of all lists has found.
class RecordReader {
 public:
  RecordReader(const storage::Datastore& store, std::size_t max_rules) : store_(store), max_rules_(max_rules) {}

  // `decode` makes a rule of a value, `named` of what the key has behind `base`, and `record_of` the record that the
  // rule has. A rule whose value cannot be read is the one that its key names: who was kept out stays out.
  template <class Rule, class Decode, class Named, class RecordOf>
  Result<std::set<Rule>> read(std::string_view base, Decode decode, Named named, RecordOf record_of) {
    std::set<Rule> rules;
    const auto add = [&](std::string_view key, Rule rule) {
      if (rules.size() < max_rules_ || rules.contains(rule)) {
        rules.insert(std::move(rule));
        return true;
      }
      problem(key, "its list is full: it has " + std::to_string(max_rules_) + " rules");
      return false;
    };
    const auto on_damaged = [&](std::string_view key, const Error& why) {
      problem(key, why.text());
      Result<Rule> rule = named(key.substr(base.size()));
      if (!rule || !add(key, *rule)) return;
      GaterRecord record = record_of(*rule);
      moves.push_back(Change{std::move(record.key), std::move(record.value)});
    };
    const auto visit = [&](std::string_view key, ByteView value) {
      Result<Rule> rule = decode(value);
      if (!rule) {
        on_damaged(key, rule.error());
      } else if (add(key, *rule)) {
        keep_key(key, record_of(*rule));
      }
      return true;
    };
    OPP2P_TRYV(store_.scan(base, visit, on_damaged));
    return rules;
  }

  GaterLoad load;
  std::vector<Change> moves;

 private:
  void problem(std::string_view key, std::string_view what) {
    ++load.skipped;
    if (load.problems.size() >= GaterLoad::kMaxProblems) return;
    load.problems.push_back(peer_text(std::string(key) + ": " + std::string(what)));
  }
  // Unblocking erases the key of the rule: one under another key would be a rule again after a restart.
  void keep_key(std::string_view key, GaterRecord record) {
    if (record.key == key) return;
    moves.push_back(Change{std::string(key), std::nullopt});
    moves.push_back(Change{std::move(record.key), std::move(record.value)});
  }

  const storage::Datastore& store_;
  const std::size_t max_rules_;
};

Result<Cidr> decode_ip(ByteView value) {
  OPP2P_TRY(const std::string text, storage::decode_blocked_ip(value));
  return Cidr::from_text(text);
}

Result<Cidr> decode_subnet(ByteView value) {
  OPP2P_TRY(const std::string text, storage::decode_blocked_subnet(value));
  return Cidr::from_text(text);
}

Result<PeerId> named_peer(std::string_view name) { return PeerId::from_text(name); }

Result<Cidr> named_ip(std::string_view name) {
  OPP2P_TRY(const std::string text, storage::ip_record_text(name));
  return Cidr::from_text(text);
}

Result<Cidr> named_subnet(std::string_view name) { return decode_subnet(as_bytes(name)); }

}  // namespace

Result<GaterLoad> BlockingGater::keep_in(storage::BatchWriter& writer) {
  RecordReader reader(*writer.store(), max_rules_);
  OPP2P_TRY(auto peers, reader.read<PeerId>(storage::kBlockedPeerBase, storage::decode_blocked_peer, named_peer,
                                            storage::blocked_peer_record));
  const auto ip_record = [this](const Cidr& ip) { return record_of(ips_, ip); };
  OPP2P_TRY(const auto ips, reader.read<Cidr>(storage::kBlockedIpBase, decode_ip, named_ip, ip_record));
  const auto subnet_record = [this](const Cidr& block) { return record_of(subnets_, block); };
  OPP2P_TRY(const auto subnets,
            reader.read<Cidr>(storage::kBlockedSubnetBase, decode_subnet, named_subnet, subnet_record));
  if (!reader.moves.empty()) OPP2P_TRYV(writer.put(std::move(reader.moves)));
  writer_ = &writer;
  reader.load.peers = peers.size();
  reader.load.ips = ips.size();
  reader.load.subnets = subnets.size();
  peers_.merge(peers);
  for (const Cidr& ip : ips) ips_.insert(ip);
  for (const Cidr& block : subnets) subnets_.insert(block);
  stricter().emit(GaterStricter());
  return std::move(reader.load);
}

}  // namespace libp2p
