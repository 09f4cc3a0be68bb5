// The tables of the block store in memory, and a transaction over them that can be undone. Bodies are shared with who
// gave them. Owner: MemoryStore. Thread: one at a time. Bounds: those of who writes; an undo list as long as the
// transaction's changes.
#pragma once

#include <map>
#include <vector>

#include "opp2p/store/table_txn.hpp"

namespace opp2p {

struct ByteOrder {
  using is_transparent = void;
  bool operator()(ByteView a, ByteView b) const;
};

struct MemoryTables {
  std::array<std::map<Bytes, Bytes, ByteOrder>, kTables> of;
  std::map<BlockName, StoredBlock> blocks;
  std::uint64_t bytes = 0;  // of keys and values
};

class MemoryTxn final : public TableTxn {
 public:
  explicit MemoryTxn(MemoryTables& tables) : tables_(tables) {}
  // Undoes what was not committed.
  ~MemoryTxn() override;
  void commit() { undo_.clear(); }

  Result<std::optional<ByteView>> get(Table table, ByteView key) const override;
  Result<Found> first(Table table) const override;
  Result<Found> last(Table table) const override;
  Result<Found> at_or_after(Table table, ByteView key) const override;
  Result<Found> after(Table table, ByteView key) const override;
  Result<Found> before(Table table, ByteView key) const override;
  Result<std::uint64_t> entries(Table table) const override;
  Result<void> put(Table table, ByteView key, ByteView value) override;
  Result<void> erase(Table table, ByteView key) override;
  Result<std::optional<StoredBlock>> block(const BlockName& name, bool with_body) const override;
  Result<std::uint64_t> block_entries() const override { return tables_.blocks.size(); }
  Result<void> put_block(const StoredBlock& block) override;
  Result<void> erase_block(const BlockName& name) override;
  Result<std::uint64_t> bytes() const override { return tables_.bytes; }
  bool has_failed() const override { return false; }

 private:
  using Map = std::map<Bytes, Bytes, ByteOrder>;
  struct Undo {
    Table table = Table::meta;
    Bytes key;
    std::optional<Bytes> value;     // none: it was not there
    std::optional<BlockName> name;  // of a block; the two above are unused then
    std::optional<StoredBlock> block;
  };
  Map& map(Table table) const { return tables_.of[static_cast<std::size_t>(table)]; }
  static Found found(const Map& map, Map::const_iterator at);
  void set(Table table, ByteView key, const std::optional<Bytes>& value);
  void set_block(const BlockName& name, const std::optional<StoredBlock>& block);

  MemoryTables& tables_;
  std::vector<Undo> undo_;
};

}  // namespace opp2p
