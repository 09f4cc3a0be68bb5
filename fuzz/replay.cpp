// Runs every fuzz target over its corpus, one file after another, and over seeded mutations of each file. It needs no
// libFuzzer, so that each change runs it with the ordinary compiler: fuzz_replay CORPUS_FOLDER [MUTATIONS_PER_FILE
// [TARGET]]. An input that a target ends on is written to ./found-TARGET.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz_targets.hpp"
#include "guard.hpp"
#include "libp2p/base/bytes.hpp"
#include "libp2p/base/rng.hpp"
#include "testing/fuzz_script.hpp"

namespace fs = std::filesystem;
using libp2p::Bytes;

namespace {

Bytes read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

// One to four small damages: a changed byte, a cut, a doubled piece, an extreme value.
Bytes mutate(Bytes input, libp2p::Rng& rng) {
  static constexpr std::uint8_t kExtremes[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
  for (auto left = 1 + rng.below(4); left > 0; --left) {
    const auto at = static_cast<std::size_t>(rng.below(input.size() + 1));
    switch (rng.below(4)) {
      case 0:
        if (at < input.size()) input[at] ^= static_cast<std::uint8_t>(1u << rng.below(8));
        break;
      case 1: input.resize(at); break;
      case 2: {
        const Bytes piece(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(at, 64)));
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), piece.begin(), piece.end());
        break;
      }
      default:
        if (at < input.size()) input[at] = kExtremes[rng.below(std::size(kExtremes))];
    }
  }
  return input;
}

std::string found_path;
const Bytes* running = nullptr;

// At the end of the process: only what a signal handler may call.
void save_input(int signal) {
  if (running != nullptr) {
    const int file = ::open(found_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const bool saved =
        file >= 0 && ::write(file, running->data(), running->size()) == static_cast<ssize_t>(running->size());
    const auto say = [](std::string_view text) { return ::write(STDERR_FILENO, text.data(), text.size()) >= 0; };
    if (!say(saved ? "the input is in " : "the input could not be written to ") || !say(found_path) || !say("\n")) {
    }
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const FuzzTarget& target, const Bytes& input) {
  running = &input;
  const libp2p::guard::Guarded guarded;
  target.run(input.data(), input.size());
  running = nullptr;
}

std::vector<Bytes> corpus_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  if (fs::is_directory(folder))
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> inputs = {Bytes{}};
  for (const auto& path : paths) inputs.push_back(read_file(path));
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: fuzz_replay CORPUS_FOLDER [MUTATIONS_PER_FILE [TARGET]]\n");
    return 2;
  }
  const int mutations = argc > 2 ? std::atoi(argv[2]) : 200;
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, save_input);
  int without_corpus = 0;
  for (const auto& target : fuzz_targets()) {
    if (argc > 3 && std::string(target.name) != argv[3]) continue;
    const auto inputs = corpus_of(fs::path(argv[1]) / target.name);
    if (inputs.size() == 1) {
      std::printf("the target %s has no corpus\n", target.name);
      ++without_corpus;
    }
    found_path = std::string("found-") + target.name;
    libp2p::SeededRng rng(1);
    const std::uint64_t before = libp2p::fuzzing::events();
    for (const auto& input : inputs) {
      run(target, input);
      for (int i = 0; i < mutations; ++i) run(target, mutate(input, rng));
    }
    const auto events = static_cast<unsigned long long>(libp2p::fuzzing::events() - before);
    std::printf("replayed %s: %zu inputs, %d mutations each", target.name, inputs.size(), mutations);
    if (events != 0) std::printf(", %llu events", events);
    std::printf("\n");
    std::fflush(stdout);
  }
  return without_corpus == 0 ? 0 : 1;
}
