#include "opstack/gossip/validation_pipeline.hpp"

#include <optional>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/live_count.hpp"

namespace opstack::gossip {

// Shared by the network thread and the workers. Each worker writes its own result; the network thread reads them when
// both workers are done.
struct ValidationPipeline::Run : libp2p::LiveCounted<Run> {
  Run(rules::Examination e, Done d) : examination(std::move(e)), done(std::move(d)) {}
  void finish() { done(std::move(examination)); }

  rules::Examination examination;
  Done done;
  std::optional<rules::RecoveredSigner> signature;
  std::optional<rules::CheckedBlock> block;
  int running = 0;  // of the two parts
};

bool ValidationPipeline::examine(rules::Examination examination, std::size_t bytes, Done done) {
  const auto needs = examination.needs();
  if (!needs.any()) {
    done(std::move(examination));  // may destroy this
    return true;
  }
  const MessageSize size{bytes, examination.contents_size()};
  const bool alone = queue_.items() == 0 && queue_.has_room(2, bytes);
  const bool side_by_side = needs.signature && needs.block && size.contents >= kLarge && alone;
  auto run = std::make_shared<Run>(std::move(examination), std::move(done));
  if (side_by_side) {
    examine_side_by_side(run, size);
    return true;
  }
  return queue_.submit(size, [run] { run->examination.run(); }, [run] { run->finish(); }) != Submission::refused;
}

void ValidationPipeline::examine_side_by_side(const std::shared_ptr<Run>& run, MessageSize size) {
  run->running = 2;
  const auto done = [run] {
    OPP2P_ASSERT(run->running > 0, "each of the two parts ends once", run->running);
    if (--run->running > 0) return;
    run->examination.take(*std::move(run->signature));
    run->examination.take(*std::move(run->block));
    run->finish();
  };
  auto recover = [run, part = run->examination.signature_part()] { run->signature = part.run(); };
  auto check = [run, part = run->examination.block_part()] { run->block = part.run(); };
  // The bytes are counted once.
  const auto first = queue_.submit(size, std::move(recover), done);
  OPP2P_ASSERT(first != Submission::refused, "there is room for two", queue_.items(), queue_.bytes());
  const auto second = queue_.submit({0, size.contents}, std::move(check), done);
  OPP2P_ASSERT(second != Submission::refused, "there is room for two");
}

}  // namespace opstack::gossip
