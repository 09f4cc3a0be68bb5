// The cases of the secure channel suite, for the table in secure_channel_suite.cpp. Private to the suite.
#pragma once

#include "libp2p/testing/channel_pair.hpp"
#include "libp2p/testing/secure_channel_suite.hpp"

namespace libp2p::channel_cases {

// A case with two identities: kinds are made once and shared by the case's connections, as a host does.
struct Case {
  Case(const SecurityFactory& factory, const SecureChannelSuiteOptions& given, Findings& to);
  bool whole() const { return dialer && listener; }
  SecurityKind kind_of(const crypto::PrivateKey& key);
  ChannelPair pair(ChannelPairOptions with = {}) {
    return ChannelPair(*dialer, *listener, findings, rng, std::move(with));
  }

  const SecurityFactory& factory;
  const SecureChannelSuiteOptions& options;
  Findings& findings;
  SeededRng rng;
  crypto::PrivateKey dialer_key;
  crypto::PrivateKey listener_key;
  std::optional<SecurityKind> dialer;
  std::optional<SecurityKind> listener;
};

// secure_channel_suite.cpp: the handshake.
void handshake(Case& test);
void every_split(Case& test);
void data_behind_the_handshake(Case& test);
void wrong_peer(Case& test);
void early_muxers(Case& test);
void changed_handshake(Case& test);
void garbage_for_a_handshake(Case& test);

// secure_channel_suite_data.cpp: messages.
void sizes(Case& test);
void hidden(Case& test);
void changed_message(Case& test);
void order(Case& test);
void connections_of_one_kind(Case& test);
void output_at_any_time(Case& test);
void the_end(Case& test);
void garbage_for_messages(Case& test);

}  // namespace libp2p::channel_cases
