// Databases of LMDB as other programs and versions leave them. Owner: a test. Thread: any.
#pragma once

#include <lmdb.h>

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

namespace testing_files {

// Puts a value into a table of the database in `folder`, or erases it without a value. A table without a name is the
// one that lists the others.
inline void change_lmdb(const std::filesystem::path& folder, const char* table, std::string key,
                        std::optional<std::string> value) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi opened = 0;
  MDB_val at{key.size(), key.data()};
  int code = mdb_env_create(&env);
  if (code == 0) code = mdb_env_set_maxdbs(env, 16);
  if (code == 0) code = mdb_env_open(env, folder.c_str(), 0, 0600);
  if (code == 0) code = mdb_txn_begin(env, nullptr, 0, &txn);
  if (code == 0) code = mdb_dbi_open(txn, table, 0, &opened);
  if (code == 0 && value) {
    MDB_val data{value->size(), value->data()};
    code = mdb_put(txn, opened, &at, &data, 0);
  } else if (code == 0) {
    code = mdb_del(txn, opened, &at, nullptr);
  }
  if (code == 0) code = mdb_txn_commit(txn);
  mdb_env_close(env);
  if (code != 0) throw std::runtime_error(std::string("lmdb: ") + mdb_strerror(code));
}

// The database of another program: it has an entry where ours have tables.
inline void make_foreign_lmdb(const std::filesystem::path& folder) { change_lmdb(folder, nullptr, "x", "x"); }

}  // namespace testing_files
