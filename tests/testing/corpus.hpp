// The seeds of one fuzz target, which fuzz_corpus writes. NAME_corpus.cpp is beside NAME_fuzz.cpp and defines
// libp2p::fuzzing::make_corpus (the build gives each its own name). The build finds the file by its name.
#pragma once

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <utility>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/rng.hpp"

namespace libp2p::fuzzing {

class Corpus {
 public:
  Corpus(const std::filesystem::path& root, std::string target) : folder_(root / target), target_(std::move(target)) {}

  void save(const std::string& name, ByteView bytes) const {
    std::filesystem::create_directories(folder_);
    std::ofstream out(folder_ / name, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void save(const std::string& name, std::string_view text) const { save(name, as_bytes(text)); }

  // Scripts that an engine's target plays: bytes from a fixed seed.
  void save_scripts(std::initializer_list<std::size_t> sizes) const {
    SeededRng rng(target_.size());
    for (const std::size_t size : sizes) {
      Bytes script(size);
      rng.fill(script);
      save("script-" + std::to_string(size), script);
    }
  }

 private:
  std::filesystem::path folder_;
  std::string target_;
};

inline Bytes with_first(std::uint8_t first, ByteView rest) {
  Bytes out{first};
  append(out, rest);
  return out;
}

void make_corpus(Corpus& corpus);

}  // namespace libp2p::fuzzing
