// The tests that every Datastore must pass: the contract of libp2p/storage/datastore.hpp, case by case. The test of a
// new one has one line per case: EXPECT_EQ(run_datastore_case(name, factory), Failures()). Installed header without
// GoogleTest. What is written comes from the seed. Thread: any; one case starts threads of its own.
#pragma once

#include <functional>
#include <memory>

#include "libp2p/storage/datastore.hpp"
#include "libp2p/testing/suite.hpp"

namespace libp2p {

struct DatastoreFactory {
  std::string name;
  // The same place each time, which has at least 8 MiB of room. A suite opens it anew when it has destroyed what it had
  // before.
  std::function<Result<std::unique_ptr<storage::Datastore>>()> open;
  // What was written is there when it is opened anew.
  bool durable = true;
};

struct DatastoreSuiteOptions {
  std::uint64_t seed = 1;
  std::size_t model_steps = 400;
};

std::vector<std::string> datastore_suite_cases();
// `factory` opens an empty place.
Failures run_datastore_case(std::string_view name, const DatastoreFactory& factory,
                            const DatastoreSuiteOptions& options = {});

}  // namespace libp2p
