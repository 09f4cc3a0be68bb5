#include "opp2p/store/chain_check.hpp"

#include <utility>

#include "libp2p/crypto/hash.hpp"

namespace opp2p {
namespace {

// One pass over each table. A function that answers an error ends the check: the database could not be read.
class Check : public ChainReader {
 public:
  Check(const TableTxn& txn, const CheckDepth& depth, bool headers)
      : ChainReader(txn), txn_(txn), depth_(depth), headers_(headers) {}

  Result<StoreCheck> run() {
    OPP2P_TRYV(each(Table::headers, [this](const TableEntry& entry) { return check_block(entry); }));
    OPP2P_TRYV(check_counts());
    OPP2P_TRYV(each(Table::canonical, [this](const TableEntry& entry) { return check_canonical(entry); }));
    for (const Table table : {Table::segments, Table::waiting})
      OPP2P_TRYV(each(table, [this, table](const TableEntry& entry) { return check_root(table, entry); }));
    OPP2P_TRYV(each(Table::orphan_ages, [this](const TableEntry& entry) { return check_age(entry); }));
    OPP2P_TRYV(each(Table::signatures, [this](const TableEntry& entry) { return check_signature(entry); }));
    OPP2P_TRYV(each(Table::eras, [this](const TableEntry& entry) { return check_era(entry); }));
    OPP2P_TRYV(each(Table::denied, [this](const TableEntry& entry) { return check_denied(entry); }));
    if (auto summed = summary()) {
      out_.summary = std::move(*summed);
    } else {
      if (txn_.has_failed()) return summed.error();
      defect(summed.error().text());
    }
    return std::move(out_);
  }

 private:
  template <class Visit>
  Result<void> each(Table table, const Visit& visit) {
    OPP2P_TRY(auto found, txn_.first(table));
    while (found) {
      const Bytes key = libp2p::to_bytes(found->key);
      if (const Result<void> seen = visit(*found); !seen) {
        if (txn_.has_failed()) return seen;
        defect(seen.error().text());
      }
      OPP2P_TRY(found, txn_.after(table, key));
    }
    return {};
  }

  void defect(std::string what) {
    if (out_.defect_count++ < StoreCheck::kMostDefects) out_.defects.push_back(std::move(what));
  }
  void defect(const BlockName& name, std::string_view what) {
    defect("block " + std::to_string(name.number) + " " + libp2p::to_hex0x(name.hash) + " " + std::string(what));
  }

  Result<bool> is_stored(const BlockName& name) const {
    OPP2P_TRY(const auto value, txn_.get(Table::headers, block_key(name)));
    return value.has_value();
  }
  Result<bool> is_in(Table table, const BlockName& name) const {
    OPP2P_TRY(const auto value, txn_.get(table, block_key(name)));
    return value.has_value();
  }
  Result<bool> has_parent(const BlockName& name, const BlockEntry& fields) const {
    if (name.number == 0) return false;
    return is_stored({name.number - 1, fields.parent_hash});
  }

  Result<void> check_block(const TableEntry& entry) {
    ++out_.blocks;
    OPP2P_TRY(const auto name, read_block_key(entry.key));
    OPP2P_TRY(const auto fields, read_block_entry(entry.value));
    const ByteView header = header_of_entry(entry.value);
    if (!header.empty() && libp2p::crypto::keccak256(header) != name.hash) defect(name, "has a header of another hash");
    OPP2P_TRYV(check_record(name, fields, header));
    OPP2P_TRY(const auto number, number_of(name.hash));
    if (number != name.number) defect(name, "is not found by its hash");
    OPP2P_TRY(const bool on_chain, is_canonical(name));
    OPP2P_TRY(const auto orphaned, orphan(name));
    if (on_chain == orphaned.has_value())
      defect(name, on_chain ? "is canonical and an orphan" : "is neither canonical nor an orphan");
    (on_chain ? costs_.canonical : costs_.others) += fields.cost;
    if (orphaned) {
      OPP2P_TRY(const auto age, txn_.get(Table::orphan_ages, age_key(orphaned->since, name)));
      if (!age) defect(name, "is an orphan without a place in the order of their age");
    }
    OPP2P_TRY(const bool parent, has_parent(name, fields));
    OPP2P_TRY(const bool is_root, is_in(on_chain ? Table::segments : Table::waiting, name));
    if (parent == is_root)
      defect(name, parent ? "has its parent and is listed as without" : "lacks its parent and is not listed so");
    return {};
  }

  Result<void> check_record(const BlockName& name, const BlockEntry& fields, ByteView header) {
    auto stored = txn_.block(name, true);
    if (!stored && txn_.has_failed()) return stored.error();
    if (!stored) {
      defect(name, stored.error().text());
      return {};
    }
    if (!*stored) {
      defect(name, "has a header and no record");
      return {};
    }
    StoredBlock& block = **stored;
    if (block.hash != name.hash) defect(name, "has a record of another hash");
    if (header.data() != nullptr && !header.empty()) block.header = libp2p::share(libp2p::to_bytes(header));
    if (read_block_entry(encode_block_entry(block)).value() != fields)
      defect(name, "has a record that does not fit its header");
    if (depth_.bodies && !block.bodiless) check_body(name, std::move(block));
    return {};
  }

  void check_body(const BlockName& name, StoredBlock stored) {
    const SharedBytes header = std::exchange(stored.header, nullptr);
    const auto whole = unframed(std::move(stored));
    if (!whole) return defect(name, whole.error().text());
    const auto block = opstack::payload::decode_block(whole->version, whole->body);
    if (!block) return defect(name, "has a body that is no block: " + block.error().message());
    StoredBlock decoded(*block);
    if (decoded.number != name.number || decoded.hash != name.hash || decoded.parent_hash != whole->parent_hash ||
        decoded.timestamp != whole->timestamp)
      return defect(name, "has the body of another block");
    decoded = with_header(std::move(decoded));
    if (libp2p::crypto::keccak256(*decoded.header) != name.hash) return defect(name, "has a body of another hash");
    if (header ? *header != *decoded.header : headers_) defect(name, "has another header than its body gives");
  }

  Result<void> check_counts() {
    OPP2P_TRY(const auto records, txn_.block_entries());
    if (records != out_.blocks)
      defect(std::to_string(records) + " records for " + std::to_string(out_.blocks) + " blocks");
    OPP2P_TRY(const auto hashes, txn_.entries(Table::hashes));
    if (hashes != out_.blocks)
      defect(std::to_string(hashes) + " hashes for " + std::to_string(out_.blocks) + " blocks");
    OPP2P_TRY(const auto canonical_count, txn_.entries(Table::canonical));
    OPP2P_TRY(const auto orphans, txn_.entries(Table::orphans));
    if (canonical_count + orphans != out_.blocks)
      defect(std::to_string(canonical_count) + " canonical blocks and " + std::to_string(orphans) + " orphans of " +
             std::to_string(out_.blocks) + " blocks");
    OPP2P_TRY(const auto ages, txn_.entries(Table::orphan_ages));
    if (ages != orphans) defect(std::to_string(ages) + " ages for " + std::to_string(orphans) + " orphans");
    OPP2P_TRY(const auto counted, costs());
    if (counted != costs_) defect("the costs of the blocks are miscounted");
    return {};
  }

  Result<void> check_canonical(const TableEntry& entry) {
    BlockName name;
    OPP2P_TRY(name.number, read_number(entry.key));
    OPP2P_TRY(name.hash, read_hash(entry.value));
    OPP2P_TRY(const auto fields, this->entry(name));
    if (!fields) {
      defect(name, "is canonical and not there");
      return {};
    }
    OPP2P_TRY(const bool parent, has_parent(name, *fields));
    if (!parent) return {};
    OPP2P_TRY(const bool follows, is_canonical({name.number - 1, fields->parent_hash}));
    if (!follows) defect(name, "is canonical and its parent, which is there, is not");
    return {};
  }

  Result<void> check_root(Table table, const TableEntry& entry) {
    OPP2P_TRY(const auto name, read_block_key(entry.key));
    OPP2P_TRY(const auto missing, read_hash(entry.value));
    OPP2P_TRY(const auto fields, this->entry(name));
    if (!fields || fields->parent_hash != missing) {
      defect(name, "is listed with a parent that it has not");
      return {};
    }
    OPP2P_TRY(const bool on_chain, is_canonical(name));
    if (on_chain != (table == Table::segments)) defect(name, "is listed in the wrong table of missing parents");
    return {};
  }

  Result<void> check_age(const TableEntry& entry) {
    OPP2P_TRY(const auto age, read_age_key(entry.key));
    OPP2P_TRY(const auto orphaned, orphan(age.second));
    if (!orphaned || orphaned->since != age.first) defect(age.second, "has the age of an orphan that it is not");
    return {};
  }

  Result<void> check_signature(const TableEntry& entry) {
    ++out_.signatures;
    OPP2P_TRY(const auto name, read_block_key(entry.key));
    OPP2P_TRY(const auto signed_by, read_attestation(entry.value));
    OPP2P_TRY(const bool stored, is_stored(name));
    if (!stored) defect(name, "has a signature and is not there");
    OPP2P_TRY(const auto last, last_era());
    if (signed_by.era > (last ? last->era : 0)) defect(name, "is signed in an era that has not begun");
    return {};
  }

  Result<void> check_era(const TableEntry& entry) {
    ++out_.eras;
    OPP2P_TRY(const auto era, read_era(entry.key, entry.value));
    if (era.era != out_.eras) defect("era " + std::to_string(out_.eras) + " is missing");
    return {};
  }

  Result<void> check_denied(const TableEntry& entry) {
    ++out_.denied;
    OPP2P_TRY(const auto hash, read_hash(entry.key));
    OPP2P_TRY(const auto number, number_of(hash));
    if (number) defect({*number, hash}, "is denied and stored");
    return {};
  }

  const TableTxn& txn_;
  const CheckDepth depth_;
  const bool headers_;
  StoreCheck out_;
  ChainCosts costs_;
};

}  // namespace

Result<StoreCheck> check_chain(const TableTxn& txn, const CheckDepth& depth, bool headers) {
  return Check(txn, depth, headers).run();
}

}  // namespace opp2p
