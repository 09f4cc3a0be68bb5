// Keys, values and cursors of LMDB, for the parts of LmdbStore::Database. Thread: that of their transaction.
#pragma once

#include <lmdb.h>

#include "libp2p/base/bytes.hpp"

namespace opp2p {

using libp2p::ByteView;

inline MDB_val as_value(ByteView bytes) {
  // LMDB takes keys and values by a pointer that is not const, and does not write through it.
  return {bytes.size(), const_cast<std::uint8_t*>(bytes.data())};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

inline ByteView as_view(const MDB_val& value) {
  return {static_cast<const std::uint8_t*>(value.mv_data), value.mv_size};
}

// A cursor that is closed with its scope, before its transaction ends.
class Cursor {
 public:
  Cursor(MDB_txn* txn, MDB_dbi table) : code_(mdb_cursor_open(txn, table, &cursor_)) {}
  ~Cursor() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  int code() const { return code_; }
  int get(MDB_val& key, MDB_val& value, MDB_cursor_op op) {
    return code_ != 0 ? code_ : mdb_cursor_get(cursor_, &key, &value, op);
  }
  int erase() { return mdb_cursor_del(cursor_, 0); }

 private:
  MDB_cursor* cursor_ = nullptr;
  int code_;
};

}  // namespace opp2p
