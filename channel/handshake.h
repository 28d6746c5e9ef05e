// The handshake: client_hello, server_hello (signed by the attested channel key), client_finish. Messages in, messages
// out; frames are cut elsewhere.
// Source: docs/spec/channel.md, 2. Letters as in RFC 9180.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "attestation/bundle.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "channel/bundle_cache.h"
#include "channel/frame.h"
#include "channel/records.h"
#include "crypto/ed25519.h"
#include "crypto/hpke.h"

namespace eml {

// All of these are told apart here and by nobody on the wire, where each is one empty refuse.
inline constexpr ErrorCode kHelloMalformed{ErrorClass::kMalformed, "hello-malformed"};
inline constexpr ErrorCode kHelloVersion{ErrorClass::kUnsupported, "hello-version"};
inline constexpr ErrorCode kHelloNoCommonKem{ErrorClass::kUnsupported, "hello-no-common-kem"};
inline constexpr ErrorCode kHelloKemNotOffered{ErrorClass::kRejected, "hello-kem-not-offered"};
inline constexpr ErrorCode kHelloSignature{ErrorClass::kUnauthentic, "hello-signature"};
inline constexpr ErrorCode kFinishMalformed{ErrorClass::kMalformed, "finish-malformed"};

inline constexpr std::uint16_t kChannelVersion = 1;
inline constexpr std::size_t kKemOffersMax = 8;

// ServeIdentity is the epoch that answers a hello. `channel_key` is the private half of binding key 9 in `bundle`.
// Neither is owned by the pointers: `owner` keeps whatever holds them alive, for as long as the handshake needs it.
struct ServeIdentity {
  ByteView bundle;
  const Ed25519Key* channel_key = nullptr;
  std::shared_ptr<const void> owner;
};

// ChannelKeys is what a finished handshake leaves: two directions and a name for the channel that both ends know and
// nobody else does.
struct ChannelKeys {
  RecordSealer sealer;
  RecordOpener opener;
  Hash32 channel_id{};
};

// ServerHandshake: on_client_hello, then on_client_finish. After an error it answers nothing any more.
class ServerHandshake {
 public:
  explicit ServerHandshake(ServeIdentity identity) : identity_(std::move(identity)) {}

  // on_client_hello returns the whole server_hello frame. A fresh KEM key pair is made and kept. Errors:
  // kHelloMalformed, kHelloVersion, kHelloNoCommonKem; kChannelState out of order.
  Result<Bytes> on_client_hello(const Frame& frame, Random& random);
  // on_client_finish decapsulates once and wipes the key pair, whatever comes of it. Errors: kFinishMalformed,
  // kHpkeBadPublicKey; kChannelState out of order.
  Result<ChannelKeys> on_client_finish(const Frame& frame);

 private:
  enum class State : std::uint8_t { kHello, kFinish, kDone };
  ServeIdentity identity_;
  State state_ = State::kHello;
  std::optional<KemKeyPair> kem_key_;
  Bytes info_;
};

// ClientHello's inputs. `kem_ids` in the client's order: only what its policy accepts.
struct ClientHandshakeOptions {
  std::vector<std::uint16_t> kem_ids = {kKemX25519HkdfSha256};
  BundleExpectation expectation;         // purpose serve, no challenge
  VerifiedBundleCache* cache = nullptr;  // optional, not owned
};

// ClientHandshake: start, then on_server_hello. After an error it answers nothing any more.
class ClientHandshake {
 public:
  explicit ClientHandshake(ClientHandshakeOptions options) : options_(std::move(options)) {}

  // start returns the whole client_hello frame. kChannelState if called twice or if the offer is empty or over 8.
  Result<Bytes> start(Random& random);

  struct Finished {
    Bytes client_finish;  // the whole frame, to be sent before any record
    ChannelKeys keys;
    TrustedPeer peer;
    Bytes bundle;  // as it arrived: for the dossier
  };
  // on_server_hello runs steps 1 to 4 of docs/spec/channel.md, 2.4, in that order. Errors: 1 kHelloMalformed,
  // kHelloVersion, kHelloKemNotOffered; 2 those of check_bundle; 3 kHelloSignature; 4 kHpkeBadPublicKey. `checks`, if
  // given, receives the bundle's lines and "channel-signature".
  Result<Finished> on_server_hello(const Frame& frame, Random& random, Checks* checks = nullptr);

 private:
  enum class State : std::uint8_t { kStart, kServerHello, kDone };
  Result<TrustedPeer> check_peer(ByteView bundle, Checks* checks) const;

  ClientHandshakeOptions options_;
  State state_ = State::kStart;
  Bytes client_hello_;
};

}  // namespace eml
