#include "judge.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace differential {

Judge::Judge(const std::string& program) {
  std::signal(SIGPIPE, SIG_IGN);
  int to[2];
  int from[2];
  if (pipe(to) != 0 || pipe(from) != 0) throw std::runtime_error("cannot open pipes to the judge");
  child_ = fork();
  if (child_ == 0) {
    dup2(to[0], 0);
    dup2(from[1], 1);
    for (const int fd : {to[0], to[1], from[0], from[1]}) close(fd);
    execl(program.c_str(), program.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  to_child_ = to[1];
  from_child_ = from[0];
}

Judge::~Judge() {
  close(to_child_);
  close(from_child_);
  if (child_ > 0) waitpid(child_, nullptr, 0);
}

void Judge::write_all(ByteView bytes) {
  while (!bytes.empty()) {
    const auto n = write(to_child_, bytes.data(), bytes.size());
    if (n <= 0) throw std::runtime_error("the judge takes no more cases: it has ended; its stderr says why");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void Judge::read_all(libp2p::MutableBytes out) {
  for (std::size_t done = 0; done < out.size();) {
    if (taken_ == buffer_.size()) {
      buffer_.resize(1 << 18);
      taken_ = 0;
      const auto n = read(from_child_, buffer_.data(), buffer_.size());
      if (n <= 0) throw std::runtime_error("the judge gives no answer: it has ended; its stderr says why");
      buffer_.resize(static_cast<std::size_t>(n));
    }
    const std::size_t n = std::min(out.size() - done, buffer_.size() - taken_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(taken_), n,
                out.begin() + static_cast<std::ptrdiff_t>(done));
    taken_ += n;
    done += n;
  }
}

void Judge::send(Format format, const std::vector<Bytes>& cases, bool explain) {
  Bytes batch(4);
  libp2p::store_le32(batch.data(), static_cast<std::uint32_t>(cases.size()));
  for (const auto& input : cases) {
    std::uint8_t head[5] = {static_cast<std::uint8_t>(static_cast<unsigned>(format) | (explain ? 0x80u : 0u))};
    libp2p::store_le32(head + 1, static_cast<std::uint32_t>(input.size()));
    libp2p::append(batch, head);
    libp2p::append(batch, input);
  }
  write_all(batch);
}

std::vector<Answer> Judge::receive(std::size_t count) {
  std::vector<Answer> out(count);
  for (auto& answer : out) {
    std::uint8_t head[5];
    read_all(head);
    answer.verdict = static_cast<Verdict>(head[0]);
    answer.detail.resize(libp2p::load_le32(head + 1));
    read_all(answer.detail);
  }
  return out;
}

std::string Judge::explain(Format format, const Bytes& input) {
  send(format, {input}, true);
  return std::string(libp2p::as_text(receive(1)[0].detail));
}

}  // namespace differential
