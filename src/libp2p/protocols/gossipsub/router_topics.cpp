// What topics have of their own (TopicParams).
#include <algorithm>

#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {

Result<void> Router::set_topic_params(std::string_view name, const TopicParams& own) {
  const Entry entry(entered_, kNotFromCallbacks);
  if (!allowed(name)) return Error(Errc::denied, "the topic filter refuses " + std::string(name));
  if (const auto valid = validate(own, params().rpc); !valid) {
    return valid.error().within("the parameters of the topic " + std::string(name));
  }
  config_.params.topics.insert_or_assign(std::string(name), own);
  const auto found = topics_.find(name);
  if (found == topics_.end()) return {};
  Topic& topic = found->second;
  apply_topic_params(name, topic);
  while (topic.fanout.size() > topic.sizes.degree) topic.fanout.erase(*std::prev(topic.fanout.end()));
  return {};
}

void Router::apply_topic_params(std::string_view name, Topic& topic) const {
  const auto own = params().topics.find(name);
  const bool has_mesh = own != params().topics.end() && own->second.mesh;
  topic.sizes = has_mesh ? *own->second.mesh : static_cast<const MeshSizes&>(params().mesh);
  topic.max_message = max_message_of(name);
}

std::size_t Router::max_message_of(std::string_view name) const {
  const auto own = params().topics.find(name);
  const bool has_bound = own != params().topics.end() && own->second.max_message;
  return has_bound ? *own->second.max_message : params().rpc.max_rpc;
}

}  // namespace libp2p::gossipsub
