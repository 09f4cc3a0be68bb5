// `opp2p key`: makes node keys and prints their peer ids. The file format is op-node's: 64 hexadecimal digits.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <memory>

#include "commands.hpp"
#include "input.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/runtime/entropy.hpp"

namespace opp2p {
namespace {

using libp2p::crypto::KeyType;
using libp2p::crypto::PrivateKey;

KeyType type_of(const std::string& name) { return name == "ed25519" ? KeyType::ed25519 : KeyType::secp256k1; }

// A new file that only its owner may read; one that is there is never overwritten.
int write_key_file(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) {
    if (errno == EEXIST)
      return report(path + " exists; give another name, or remove the file if the key is not needed");
    return report(path + " cannot be created: " + std::strerror(errno));
  }
  const bool written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  const int failed_with = errno;
  ::close(file);
  if (written) return 0;
  ::unlink(path.c_str());
  return report(path + " cannot be written: " + std::strerror(failed_with));
}

int generate(opp2p::Output& out, const std::string& type, const std::string& file) {
  libp2p::runtime::SystemRng rng;
  const auto key = PrivateKey::generate(type_of(type), rng);
  if (!key) return report(key.error());
  const std::string hex = libp2p::to_hex(key->raw().first(32));
  if (file.empty()) {
    out.write(hex + "\n");
    return 0;
  }
  if (const int failed = write_key_file(file, hex); failed != 0) return failed;
  out.write(libp2p::PeerId::from_public_key(key->public_key()).to_base58() + "\n");
  return 0;
}

int peer_id(opp2p::Output& out, const std::string& type, const std::string& file) {
  const auto raw = read_input(file, true);
  if (!raw) return report(raw.error());
  const std::string name = file == "-" ? "standard input" : file;
  if (raw->size() != 32)
    return report(name + " holds " + std::to_string(raw->size()) + " bytes; a private key has 32 bytes in hex");
  const auto key = PrivateKey::from_raw(type_of(type), *raw);
  if (!key) return report(key.error().within(name));
  out.write(libp2p::PeerId::from_public_key(key->public_key()).to_base58() + "\n");
  return 0;
}

}  // namespace

void add_key_commands(CLI::App& app, opp2p::Output& out, int& exit_code) {
  struct Options {
    std::string type = "secp256k1";
    std::string file;
  };
  auto* key = app.add_subcommand("key", "Make node keys and print their peer ids");
  key->require_subcommand(1);

  auto* make =
      key->add_subcommand("generate", "Print a new key as 64 hex digits, or write it to a file and print its peer id");
  auto made = std::make_shared<Options>();
  make->add_option("--type", made->type)->check(CLI::IsMember({"secp256k1", "ed25519"}))->capture_default_str();
  make->add_option("--out", made->file, "A new file to write the key to");
  make->callback([made, &out, &exit_code] { exit_code = generate(out, made->type, made->file); });

  auto* tell = key->add_subcommand("peer-id", "Print the peer id of a key file");
  auto told = std::make_shared<Options>();
  told->file = "-";
  tell->add_option("--type", told->type)->check(CLI::IsMember({"secp256k1", "ed25519"}))->capture_default_str();
  tell->add_option("FILE", told->file, "File with 64 hex digits, with or without 0x; - is standard input")
      ->capture_default_str();
  tell->callback([told, &out, &exit_code] { exit_code = peer_id(out, told->type, told->file); });
}

}  // namespace opp2p
