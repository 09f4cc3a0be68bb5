#include "libp2p/base/crc32c.hpp"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace libp2p {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // reflected

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

consteval Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ kPolynomial : crc >> 1;
    tables[0][i] = crc;
  }
  for (std::size_t t = 1; t < 8; ++t)
    for (std::size_t i = 0; i < 256; ++i) tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 0xff];
  return tables;
}

constexpr Tables kTables = make_tables();

// The instruction takes three cycles, and a new one can begin in each: three runs side by side keep it busy. Their
// results are joined by advancing a checksum over the zeros that stand for a run behind it, which is linear in its
// bits.
constexpr std::size_t kRun = 1024;  // bytes

using AdvanceTables = std::array<std::array<std::uint32_t, 256>, 4>;

consteval AdvanceTables make_advance_tables() {
  AdvanceTables tables{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t crc = 1u << bit;
    for (std::size_t i = 0; i < kRun; ++i) crc = crc >> 8 ^ kTables[0][crc & 0xff];
    tables[bit / 8][1u << bit % 8] = crc;
  }
  for (auto& table : tables)
    for (std::size_t i = 1; i < 256; ++i) table[i] = table[i & (i - 1)] ^ table[i & ~(i - 1)];
  return tables;
}

constexpr AdvanceTables kAdvance = make_advance_tables();

// What `crc` becomes over kRun zeros.
std::uint32_t advance(std::uint32_t crc) {
  return kAdvance[0][crc & 0xff] ^ kAdvance[1][crc >> 8 & 0xff] ^ kAdvance[2][crc >> 16 & 0xff] ^
         kAdvance[3][crc >> 24];
}

#if defined(__x86_64__)
std::uint64_t load_word(const std::uint8_t* p) {
  std::uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(ByteView data) {
  const std::uint8_t* p = data.data();
  std::size_t left = data.size();
  std::uint64_t crc = 0xffffffff;
  for (; left >= 3 * kRun; p += 3 * kRun, left -= 3 * kRun) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (const std::uint8_t* q = p; q < p + kRun; q += 8) {
      crc = _mm_crc32_u64(crc, load_word(q));
      second = _mm_crc32_u64(second, load_word(q + kRun));
      third = _mm_crc32_u64(third, load_word(q + 2 * kRun));
    }
    const std::uint32_t two = advance(static_cast<std::uint32_t>(crc)) ^ static_cast<std::uint32_t>(second);
    crc = advance(two) ^ static_cast<std::uint32_t>(third);
  }
  for (; left >= 8; p += 8, left -= 8) crc = _mm_crc32_u64(crc, load_word(p));
  auto tail = static_cast<std::uint32_t>(crc);
  for (; left > 0; ++p, --left) tail = _mm_crc32_u8(tail, *p);
  return ~tail;
}
#endif

}  // namespace

std::uint32_t crc32c_portable(ByteView data) {
  const std::uint8_t* p = data.data();
  std::size_t left = data.size();
  std::uint32_t crc = 0xffffffff;
  for (; left >= 8; p += 8, left -= 8) {
    const std::uint32_t low = load_le32(p) ^ crc;
    const std::uint32_t high = load_le32(p + 4);
    crc = kTables[7][low & 0xff] ^ kTables[6][low >> 8 & 0xff] ^ kTables[5][low >> 16 & 0xff] ^ kTables[4][low >> 24] ^
          kTables[3][high & 0xff] ^ kTables[2][high >> 8 & 0xff] ^ kTables[1][high >> 16 & 0xff] ^
          kTables[0][high >> 24];
  }
  for (; left > 0; ++p, --left) crc = crc >> 8 ^ kTables[0][(crc ^ *p) & 0xff];
  return ~crc;
}

std::uint32_t crc32c(ByteView data) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(data);
#endif
  return crc32c_portable(data);
}

}  // namespace libp2p
