// Keys, values, cursors and transactions of LMDB that end with their scope. Thread: that of their transaction.
#pragma once

#include <lmdb.h>

#include <utility>

#include "libp2p/base/bytes.hpp"

namespace libp2p::storage {

inline MDB_val as_value(ByteView bytes) {
  // LMDB takes keys and values by a pointer that is not const, and does not write through it.
  return {bytes.size(), const_cast<std::uint8_t*>(bytes.data())};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}
inline MDB_val as_value(std::string_view text) { return as_value(as_bytes(text)); }

inline ByteView as_view(const MDB_val& value) {
  return {static_cast<const std::uint8_t*>(value.mv_data), value.mv_size};
}

// Aborted with its scope when it was not committed.
class LmdbScopedTxn {
 public:
  LmdbScopedTxn(MDB_env* env, unsigned flags) : code_(mdb_txn_begin(env, nullptr, flags, &txn_)) {}
  ~LmdbScopedTxn() {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
  }
  LmdbScopedTxn(const LmdbScopedTxn&) = delete;
  LmdbScopedTxn& operator=(const LmdbScopedTxn&) = delete;
  MDB_txn* get() const { return txn_; }
  int code() const { return code_; }  // of its begin
  int commit() { return mdb_txn_commit(std::exchange(txn_, nullptr)); }

 private:
  MDB_txn* txn_ = nullptr;
  int code_;
};

// A cursor that is closed with its scope, before its transaction ends.
class LmdbCursor {
 public:
  LmdbCursor(MDB_txn* txn, MDB_dbi table) : code_(mdb_cursor_open(txn, table, &cursor_)) {}
  ~LmdbCursor() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  }
  LmdbCursor(const LmdbCursor&) = delete;
  LmdbCursor& operator=(const LmdbCursor&) = delete;
  int code() const { return code_; }
  int get(MDB_val& key, MDB_val& value, MDB_cursor_op op) {
    return code_ != 0 ? code_ : mdb_cursor_get(cursor_, &key, &value, op);
  }
  int erase() { return mdb_cursor_del(cursor_, 0); }

 private:
  MDB_cursor* cursor_ = nullptr;
  int code_;
};

}  // namespace libp2p::storage
