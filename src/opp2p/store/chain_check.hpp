// Reads all tables of the block store and says where they contradict each other or the rules of chain_tables.hpp.
// Owner: the call. Thread: that of the transaction. Bounds: one block in memory at a time, and what StoreCheck lists.
#pragma once

#include "opp2p/store/chain_reader.hpp"

namespace opp2p {

// Fails only when the database does. The summary's `pruned` is left out.
// `headers`: whether the store makes one for each block.
Result<StoreCheck> check_chain(const TableTxn& txn, const CheckDepth& depth, bool headers = true);

}  // namespace opp2p
