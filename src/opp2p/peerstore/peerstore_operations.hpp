// What `opp2p peerstore` does with the peerstore of a node that does not run: it opens the store, does one thing, and
// says in plain words what came of it. A store or a directory that is in use is Errc::denied.
//
// Owner: none. Thread: any; a call takes as long as the disks do. Bounds: kMaxMoved bytes of records
// (peerstore_move.hpp), LevelDbCopy::kMaxCopy bytes of an import's copy.
#pragma once

#include <filesystem>

#include "libp2p/crypto/keys.hpp"
#include "opp2p/peerstore/peerstore_view.hpp"

namespace opp2p {

struct PeerstoreReport {
  std::vector<std::string> lines;
};

// Where a node keeps its peerstore and its key. `key` is what the key file has, nothing when there is none.
struct PeerstorePlace {
  std::filesystem::path folder;
  std::filesystem::path key_file;
  std::optional<libp2p::crypto::PrivateKey> key;
};

// Takes the records of op-node's directory over, and its key when there is no key file. With `keep_key` the key is none
// of its business.
libp2p::Result<PeerstoreReport> import_peerstore(const std::filesystem::path& directory, const PeerstorePlace& place,
                                                 bool keep_key);
// Makes a directory for op-node, which must not be there yet, or be empty.
libp2p::Result<PeerstoreReport> export_peerstore(const std::filesystem::path& directory, const PeerstorePlace& place);
libp2p::Result<PeerstoreView> read_peerstore(const PeerstorePlace& place);

}  // namespace opp2p
