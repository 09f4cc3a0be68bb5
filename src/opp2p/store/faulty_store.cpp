#include "opp2p/store/faulty_store.hpp"

namespace opp2p {
namespace {

Error disk_error() { return Error(Errc::io, "the disk refused (a test asked for it)"); }

}  // namespace

template <class T, class Perform>
void FaultyStore::write(Done<T> done, Perform perform) {
  if (failing_ > 0) {
    --failing_;
    post_([done = std::move(done)] {
      if (done) done(disk_error());
    });
  } else if (holding_) {
    held_.push_back([done = std::move(done), perform = std::move(perform)] { perform(done); });
  } else {
    perform(std::move(done));
  }
}

void FaultyStore::sync() {
  holding_ = false;
  while (!held_.empty()) {
    const auto perform = std::move(held_.front());
    held_.pop_front();
    perform();
  }
}

bool FaultyStore::read_fails() const {
  ++reads_;
  if (failing_reads_ == 0) return false;
  --failing_reads_;
  return true;
}

void FaultyStore::keep(StoredBlock block, std::optional<Attestation> attestation, bool extends_head,
                       Done<KeptBlock> done) {
  write<KeptBlock>(std::move(done), [this, block = std::move(block), attestation = std::move(attestation),
                                     extends_head](Done<KeptBlock> inner_done) {
    inner_.keep(block, attestation, extends_head, std::move(inner_done));
  });
}

void FaultyStore::move_head(const HeadMove& move, Done<MovedHead> done) {
  write<MovedHead>(std::move(done),
                   [this, move](Done<MovedHead> inner_done) { inner_.move_head(move, std::move(inner_done)); });
}

void FaultyStore::open_era(const opstack::rules::Address& signer, UnixTime now, Done<EraRecord> done) {
  write<EraRecord>(std::move(done), [this, signer, now](Done<EraRecord> inner_done) {
    inner_.open_era(signer, now, std::move(inner_done));
  });
}

void FaultyStore::start_at(const BlockRef& genesis, std::uint64_t timestamp, Done<KeptBlock> done) {
  write<KeptBlock>(std::move(done), [this, genesis, timestamp](Done<KeptBlock> inner_done) {
    inner_.start_at(genesis, timestamp, std::move(inner_done));
  });
}

void FaultyStore::rewind(std::uint64_t to, const std::optional<Hash>& deny, Done<Rewound> done) {
  write<Rewound>(std::move(done),
                 [this, to, deny](Done<Rewound> inner_done) { inner_.rewind(to, deny, std::move(inner_done)); });
}

Result<std::optional<StoredBlock>> FaultyStore::by_number(std::uint64_t number) const {
  if (read_fails()) return disk_error();
  return inner_.by_number(number);
}

Result<std::optional<FoundBlock>> FaultyStore::by_hash(const Hash& hash) const {
  if (read_fails()) return disk_error();
  return inner_.by_hash(hash);
}

Result<void> FaultyStore::for_each(std::uint64_t from, std::uint64_t to,
                                   const std::function<bool(const StoredBlock&)>& visit) const {
  if (read_fails()) return disk_error();
  return inner_.for_each(from, to, visit);
}

Result<ChainView> FaultyStore::view(std::size_t window) const {
  if (read_fails()) return disk_error();
  return inner_.view(window);
}

Result<Descent> FaultyStore::descend(const BlockRef& from) const {
  if (read_fails()) return disk_error();
  return inner_.descend(from);
}

}  // namespace opp2p
