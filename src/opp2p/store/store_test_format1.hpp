// Writes databases of format 1, as versions before the canonical table did.
#pragma once

#include <lmdb.h>

#include <stdexcept>

#include "libp2p/storage/lmdb/lmdb_cursor.hpp"
#include "opp2p/store/chain_tables.hpp"
#include "opp2p/store/store_record.hpp"
#include "opp2p/store/store_test_support.hpp"

namespace opp2p::testing_store {

inline std::vector<StoredBlock> blocks_at(std::uint64_t from, std::uint64_t to, std::size_t size) {
  std::vector<StoredBlock> out;
  for (std::uint64_t n = from; n <= to; ++n) out.push_back(block_at(n, size));
  return out;
}

inline void write_format_1(const fs::path& folder, const std::vector<StoredBlock>& chain) {
  const auto must = [](int code) {
    if (code != 0) throw std::runtime_error(std::string("lmdb: ") + mdb_strerror(code));
  };
  fs::create_directories(folder);
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  must(mdb_env_create(&env));
  must(mdb_env_set_maxdbs(env, 8));
  must(mdb_env_set_mapsize(env, std::size_t{64} << 20));
  must(mdb_env_open(env, folder.c_str(), 0, 0600));
  must(mdb_txn_begin(env, nullptr, 0, &txn));
  MDB_dbi meta = 0, blocks = 0, hashes = 0, staging = 0;
  must(mdb_dbi_open(txn, "meta", MDB_CREATE, &meta));
  must(mdb_dbi_open(txn, "blocks", MDB_CREATE, &blocks));
  must(mdb_dbi_open(txn, "hashes", MDB_CREATE, &hashes));
  must(mdb_dbi_open(txn, "staging", MDB_CREATE, &staging));
  using libp2p::storage::as_value;
  const auto put = [&](MDB_dbi table, ByteView key, ByteView value) {
    MDB_val at = as_value(key);
    MDB_val data = as_value(value);
    must(mdb_put(txn, table, &at, &data, 0));
  };
  put(meta, libp2p::as_bytes("format"), libp2p::as_bytes("opp2p block store 1"));
  put(meta, libp2p::as_bytes("chain"), libp2p::as_bytes("901:0xabc"));
  put(staging, libp2p::as_bytes("0123456789abcdef"), libp2p::as_bytes("what nobody can link any more"));
  for (const auto& block : chain) {
    Bytes record(record_size(block));
    write_record(block, record);
    put(blocks, number_key(block.number), record);
    put(hashes, block.hash, number_key(block.number));
  }
  must(mdb_txn_commit(txn));
  mdb_env_close(env);
}

}  // namespace opp2p::testing_store
