#include "opp2p/rpc/rpc_ids.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <optional>

namespace opp2p {
namespace json = boost::json;

namespace {

// Goes over JSON that is known to be well formed.
class JsonScan {
 public:
  explicit JsonScan(std::string_view text) : text_(text) {}

  // The next byte that is no white space; 0 at the end.
  char peek() {
    while (at_ < text_.size() && kWhite.find(text_[at_]) != std::string_view::npos) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void skip() { ++at_; }
  // Goes over one value and answers its text.
  std::string_view value() {
    const char first = peek();
    const auto begin = at_;
    if (first == '"')
      skip_string();
    else if (first == '{' || first == '[')
      skip_container();
    else
      at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
    return text_.substr(begin, at_ - begin);
  }

 private:
  void skip_string() {
    for (++at_; at_ < text_.size(); ++at_) {
      const auto quote = text_.find('"', at_);
      if (quote == std::string_view::npos) {
        at_ = text_.size();
        return;
      }
      std::size_t slashes = 0;
      while (quote - slashes > at_ && text_[quote - slashes - 1] == '\\') ++slashes;
      at_ = quote;
      if (slashes % 2 == 0) break;
    }
    ++at_;
  }
  void skip_container() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[')
        ++depth;
      else if ((c == '}' || c == ']') && --depth == 0)
        return;
    }
  }

  static constexpr std::string_view kWhite = " \t\r\n";
  std::string_view text_;
  std::size_t at_ = 0;
};

bool names_id(std::string_view key) {
  if (key == "\"id\"") return true;
  if (key.find('\\') == std::string_view::npos || key.size() > 14) return false;  // "\u0069\u0064"
  boost::system::error_code error;
  const auto decoded = json::parse(json::string_view(key.data(), key.size()), error);
  return !error && decoded.is_string() && decoded.get_string() == "id";
}

// Goes over a message and answers the text of its id; of several, the last one counts.
std::optional<std::string_view> id_of(JsonScan& scan) {
  std::optional<std::string_view> out;
  scan.skip();
  while (scan.peek() == '"') {
    const auto key = scan.value();
    scan.peek();
    scan.skip();  // the colon
    const auto value = scan.value();
    if (names_id(key)) out = value;
    if (scan.peek() == ',') scan.skip();
    scan.peek();
  }
  scan.skip();
  return out;
}

void keep_id(json::value& message, JsonScan& scan) {
  if (!message.is_object()) {
    scan.value();
    return;
  }
  scan.peek();
  const auto text = id_of(scan);
  auto* id = message.get_object().if_contains("id");
  if (id == nullptr || !text || text->empty()) return;
  const std::size_t most = kMaxRpcId + (text->front() == '"' ? 2 : 0);
  const auto kept = text->size() > most ? std::string_view("{") : *text;
  *id = json::string_view(kept.data(), kept.size());
}

}  // namespace

void keep_ids_as_sent(json::value& parsed, std::string_view text) {
  JsonScan scan(text);
  if (!parsed.is_array()) return keep_id(parsed, scan);
  scan.peek();
  scan.skip();
  for (auto& message : parsed.get_array()) {
    keep_id(message, scan);
    if (scan.peek() == ',') scan.skip();
  }
}

}  // namespace opp2p
