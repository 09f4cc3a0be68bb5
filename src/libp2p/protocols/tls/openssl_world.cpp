#include "libp2p/protocols/tls/openssl_world.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <string>

namespace libp2p::tls {
namespace {

constexpr const char* kEntropy = "opp2p-entropy";
constexpr std::size_t kMostAtOnce = 1 << 16;  // bytes
constexpr unsigned kStrength = 256;           // bits

// Where a provider's start finds its world: OpenSSL gives a built-in provider nothing of its caller.
thread_local OpenSslWorld* opening = nullptr;

using Dispatched = void (*)();
template <class Function>
Dispatched dispatched(Function* function) {
  return reinterpret_cast<Dispatched>(function);
}

// A generator is no more than a reference to its world.
void* new_generator(void* world, void*, const OSSL_DISPATCH*) { return world; }
void free_generator(void*) {}
int instantiate(void*, unsigned, int, const unsigned char*, std::size_t, const OSSL_PARAM*) { return 1; }
int uninstantiate(void*) { return 1; }
int generate(void* world, unsigned char* out, std::size_t size, unsigned, int, const unsigned char*, std::size_t) {
  static_cast<OpenSslWorld*>(world)->rng().fill({out, size});
  return 1;
}
int reseed(void*, int, const unsigned char*, std::size_t, const unsigned char*, std::size_t) { return 1; }
int enable_locking(void*) { return 1; }
int lock(void*) { return 1; }
void unlock(void*) {}

const OSSL_PARAM* gettable(void*, void*) {
  static const OSSL_PARAM params[] = {OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, nullptr),
                                      OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, nullptr),
                                      OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, nullptr), OSSL_PARAM_END};
  return params;
}

int get(void*, OSSL_PARAM* params) {
  OSSL_PARAM* const most = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
  OSSL_PARAM* const strength = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
  OSSL_PARAM* const state = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
  return (most == nullptr || OSSL_PARAM_set_size_t(most, kMostAtOnce) == 1) &&
         (strength == nullptr || OSSL_PARAM_set_uint(strength, kStrength) == 1) &&
         (state == nullptr || OSSL_PARAM_set_int(state, EVP_RAND_STATE_READY) == 1);
}

const OSSL_ALGORITHM* algorithms(void*, int operation, int* no_cache) {
  static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_RAND_NEWCTX, dispatched(new_generator)},
                                            {OSSL_FUNC_RAND_FREECTX, dispatched(free_generator)},
                                            {OSSL_FUNC_RAND_INSTANTIATE, dispatched(instantiate)},
                                            {OSSL_FUNC_RAND_UNINSTANTIATE, dispatched(uninstantiate)},
                                            {OSSL_FUNC_RAND_GENERATE, dispatched(generate)},
                                            {OSSL_FUNC_RAND_RESEED, dispatched(reseed)},
                                            {OSSL_FUNC_RAND_ENABLE_LOCKING, dispatched(enable_locking)},
                                            {OSSL_FUNC_RAND_LOCK, dispatched(lock)},
                                            {OSSL_FUNC_RAND_UNLOCK, dispatched(unlock)},
                                            {OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, dispatched(gettable)},
                                            {OSSL_FUNC_RAND_GET_CTX_PARAMS, dispatched(get)},
                                            {0, nullptr}};
  static const OSSL_ALGORITHM generators[] = {{kEntropy, "provider=opp2p", functions, "entropy of an Rng"},
                                              {nullptr, nullptr, nullptr, nullptr}};
  *no_cache = 0;
  return operation == OSSL_OP_RAND ? generators : nullptr;
}

int start_provider(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out, void** world) {
  static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, dispatched(algorithms)}, {0, nullptr}};
  *out = functions;
  *world = opening;
  return opening != nullptr;
}

}  // namespace

OpenSslWorld::OpenSslWorld(Rng& rng) : rng_(&rng), context_(OSSL_LIB_CTX_new()) {}

Result<std::shared_ptr<OpenSslWorld>> OpenSslWorld::make(Rng& rng) {
  std::shared_ptr<OpenSslWorld> world(new OpenSslWorld(rng));
  OPP2P_TRYV(world->open());
  return world;
}

Result<void> OpenSslWorld::open() {
  opening = this;
  const bool has_entropy = context_ != nullptr && OSSL_PROVIDER_add_builtin(context_, kEntropy, start_provider) == 1 &&
                           (entropy_ = OSSL_PROVIDER_load(context_, kEntropy)) != nullptr;
  opening = nullptr;
  if (has_entropy && (algorithms_ = OSSL_PROVIDER_load(context_, "default")) != nullptr &&
      RAND_set_DRBG_type(context_, kEntropy, nullptr, nullptr, nullptr) == 1)
    return {};
  return openssl_error(Errc::unsupported, "OpenSSL cannot be given its entropy");
}

OpenSslWorld::~OpenSslWorld() {
  if (algorithms_ != nullptr) OSSL_PROVIDER_unload(algorithms_);
  if (entropy_ != nullptr) OSSL_PROVIDER_unload(entropy_);
  OSSL_LIB_CTX_free(context_);
}

Error openssl_error(Errc code, std::string_view why) {
  std::string text(why);
  if (const unsigned long first = ERR_get_error(); first != 0) {
    const char* const reason = ERR_reason_error_string(first);
    text += std::string(": ") + (reason != nullptr ? reason : "unknown reason");
  }
  ERR_clear_error();
  return fail(code, text);
}

}  // namespace libp2p::tls
