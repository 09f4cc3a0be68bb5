// A host that knows its peers after a restart. `remembering_host FOLDER ADDRESS` dials the address and remembers the
// peer in the folder. `remembering_host FOLDER` dials the peers that it remembers and prints who answers.
#include <cstdio>

#include "libp2p/host/host.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/host/peerstore_archive.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/storage/lmdb/lmdb_datastore.hpp"

using namespace libp2p;

runtime::Task<void> dial(Host& host, Multiaddr address) {
  const auto peer = co_await host.connect(std::move(address));
  if (!peer) std::fprintf(stderr, "remembering_host: %s\n", peer.error().message().c_str());
}

runtime::Task<void> dial_known(Host& host) {
  const std::vector<PeerId> known = host.peerstore().peers();
  for (const PeerId& peer : known) {
    const auto connected = co_await host.connect(peer);
    std::printf("%s %s\n", peer.to_base58().c_str(), connected ? "answers" : connected.error().message().c_str());
  }
}

// The host first: what it learns while it closes is written too.
runtime::Task<void> close(Host& host, PeerstoreArchive& archive, storage::BatchWriter& writer) {
  co_await host.close(Seconds(2));
  archive.close();
  const auto written = co_await writer.close(Seconds(5));
  if (!written) std::fprintf(stderr, "remembering_host: %s\n", written.error().message().c_str());
}

int fail(const Error& error) {
  std::fprintf(stderr, "remembering_host: %s\n", error.message().c_str());
  return 1;
}

int main(int argc, char** argv) {
  if (argc < 2) return fail(Error(Errc::invalid_argument, "name a folder, and perhaps an address to dial"));
  auto opened = storage::LmdbDatastore::open(argv[1]);
  if (!opened) return fail(opened.error());
  const std::shared_ptr<storage::Datastore> store = std::move(*opened);

  runtime::AsioRuntime rt;
  auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rt.rng()).value();
  Host host(rt, HostConfig(std::move(key)));
  storage::BatchWriter writer(rt, store);
  PeerstoreArchive archive(rt, host.peerstore(), host.id(), writer);
  const auto loaded = archive.load();
  if (!loaded) return fail(loaded.error());
  std::printf("%zu peers known\n", loaded->peers);

  if (argc > 2) {
    const auto address = Multiaddr::from_text(argv[2]);
    if (!address) return fail(address.error());
    runtime::run_task(rt, rt, dial(host, *address), Seconds(30));
  } else {
    runtime::run_task(rt, rt, dial_known(host), Seconds(30));
  }
  runtime::run_task(rt, rt, close(host, archive, writer), Seconds(10));
}
