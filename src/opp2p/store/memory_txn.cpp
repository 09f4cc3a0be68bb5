#include "opp2p/store/memory_txn.hpp"

#include <algorithm>

#include "opp2p/store/store_record.hpp"

namespace opp2p {

bool ByteOrder::operator()(ByteView a, ByteView b) const {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

MemoryTxn::~MemoryTxn() {
  for (auto at = undo_.rbegin(); at != undo_.rend(); ++at) {
    if (at->name)
      set_block(*at->name, at->block);
    else
      set(at->table, at->key, at->value);
  }
}

TableTxn::Found MemoryTxn::found(const Map& map, Map::const_iterator at) {
  return at == map.end() ? Found() : TableEntry{at->first, at->second};
}

Result<std::optional<ByteView>> MemoryTxn::get(Table table, ByteView key) const {
  const auto at = map(table).find(key);
  return at == map(table).end() ? std::optional<ByteView>() : ByteView(at->second);
}

Result<TableTxn::Found> MemoryTxn::first(Table table) const { return found(map(table), map(table).begin()); }

Result<TableTxn::Found> MemoryTxn::last(Table table) const {
  return map(table).empty() ? Found() : found(map(table), std::prev(map(table).end()));
}

Result<TableTxn::Found> MemoryTxn::at_or_after(Table table, ByteView key) const {
  return found(map(table), map(table).lower_bound(key));
}

Result<TableTxn::Found> MemoryTxn::after(Table table, ByteView key) const {
  return found(map(table), map(table).upper_bound(key));
}

Result<TableTxn::Found> MemoryTxn::before(Table table, ByteView key) const {
  const auto at = map(table).lower_bound(key);
  return at == map(table).begin() ? Found() : found(map(table), std::prev(at));
}

Result<std::uint64_t> MemoryTxn::entries(Table table) const { return map(table).size(); }

// Changes one entry, and the count of bytes with it.
void MemoryTxn::set(Table table, ByteView key, const std::optional<Bytes>& value) {
  auto& entries = map(table);
  const auto at = entries.find(key);
  if (at != entries.end()) {
    tables_.bytes -= at->first.size() + at->second.size();
    if (!value) {
      entries.erase(at);
      return;
    }
    at->second = *value;
  } else if (value) {
    entries.emplace(libp2p::to_bytes(key), *value);
  } else {
    return;
  }
  tables_.bytes += key.size() + value->size();
}

void MemoryTxn::set_block(const BlockName& name, const std::optional<StoredBlock>& block) {
  const auto at = tables_.blocks.find(name);
  if (at != tables_.blocks.end()) {
    tables_.bytes -= record_size(at->second);
    tables_.blocks.erase(at);
  }
  if (!block) return;
  tables_.bytes += record_size(*block);
  tables_.blocks.emplace(name, *block);
}

Result<void> MemoryTxn::put(Table table, ByteView key, ByteView value) {
  note_change();
  const auto at = map(table).find(key);
  Undo undo;
  undo.table = table;
  undo.key = libp2p::to_bytes(key);
  if (at != map(table).end()) undo.value = at->second;
  undo_.push_back(std::move(undo));
  set(table, key, libp2p::to_bytes(value));
  return {};
}

Result<void> MemoryTxn::erase(Table table, ByteView key) {
  const auto at = map(table).find(key);
  if (at == map(table).end()) return {};
  note_change();
  Undo undo;
  undo.table = table;
  undo.key = at->first;
  undo.value = at->second;
  undo_.push_back(std::move(undo));
  set(table, undo_.back().key, std::nullopt);
  return {};
}

Result<std::optional<StoredBlock>> MemoryTxn::block(const BlockName& name, bool with_body) const {
  const auto at = tables_.blocks.find(name);
  if (at == tables_.blocks.end()) return std::optional<StoredBlock>();
  StoredBlock out = at->second;
  if (!with_body) out.body = {};
  return std::optional<StoredBlock>(std::move(out));
}

Result<void> MemoryTxn::put_block(const StoredBlock& block) {
  note_change();
  const BlockName name{block.number, block.hash};
  Undo undo;
  undo.name = name;
  if (const auto at = tables_.blocks.find(name); at != tables_.blocks.end()) undo.block = at->second;
  undo_.push_back(std::move(undo));
  StoredBlock kept = block;
  kept.header = nullptr;
  kept.envelope = nullptr;
  set_block(name, kept);
  return {};
}

Result<void> MemoryTxn::erase_block(const BlockName& name) {
  const auto at = tables_.blocks.find(name);
  if (at == tables_.blocks.end()) return {};
  note_change();
  Undo undo;
  undo.name = name;
  undo.block = at->second;
  undo_.push_back(std::move(undo));
  set_block(name, std::nullopt);
  return {};
}

}  // namespace opp2p
