#include "channel/handshake.h"

#include <algorithm>
#include <utility>

#include "channel/handshake_messages.h"
#include "crypto/hash.h"

namespace eml {
namespace {

// In the order that the server prefers; the hybrid KEM goes in front of it.
constexpr std::uint16_t kServerKems[] = {kKemX25519HkdfSha256};

enum class Side : std::uint8_t { kClient, kServer };

template <typename Context>
ChannelKeys export_keys(const Context& context, Side side) {
  KeyChain c2s(context.export_secret(label("eml c2s v1"), 32));
  KeyChain s2c(context.export_secret(label("eml s2c v1"), 32));
  const Hash32 channel_id = reveal_name(context.export_secret(label("eml channel id v1"), 32));
  const bool client = side == Side::kClient;
  return {.sealer = RecordSealer(std::move(client ? c2s : s2c)),
          .opener = RecordOpener(std::move(client ? s2c : c2s)),
          .channel_id = channel_id};
}

std::unexpected<Error> out_of_order() { return fail(kChannelState, "a handshake step came out of order"); }

Status verify_hello(const Ed25519PublicKey& channel_key, ByteView message, const Ed25519Signature& signature,
                    Checks* checks) {
  static constexpr std::string_view kId = "channel-signature";
  static constexpr Literal kTitle = "the hello is signed by the attested channel key";
  if (!verify_ed25519(channel_key, message, signature)) {
    const Error error(kHelloSignature, "the server's hello is not signed by the channel key of its evidence");
    if (checks != nullptr) fail_check(*checks, kId, kTitle, Voucher::kVerifiedHere, error);
    return std::unexpected(error);
  }
  if (checks != nullptr) pass(*checks, kId, kTitle, Voucher::kVerifiedHere);
  return {};
}

}  // namespace

Result<Bytes> ServerHandshake::on_client_hello(const Frame& frame, Random& random) {
  if (state_ != State::kHello || frame.type != FrameType::kClientHello) return out_of_order();
  state_ = State::kDone;
  EML_TRY(const ClientHello offer, decode_client_hello(frame.body));
  const auto* const kem = std::ranges::find_if(
      kServerKems, [&](std::uint16_t id) { return std::ranges::find(offer.kem_ids, id) != offer.kem_ids.end(); });
  if (kem == std::end(kServerKems)) return fail(kHelloNoCommonKem, "the client offers no KEM that this server has");
  EML_TRY(kem_key_, KemKeyPair::generate(*kem, random));
  ServerHello hello{.kem_id = *kem,
                    .random = random.array<32>(),
                    .kem_public_key = kem_key_->public_key(),
                    .bundle = identity_.bundle,
                    .signature = {}};
  Bytes out = encode_server_hello(hello);
  const Ed25519Signature signature = identity_.channel_key->sign(hello_to_sign(frame.whole, out));
  std::ranges::copy(signature, out.end() - static_cast<std::ptrdiff_t>(signature.size()));
  info_ = channel_info(frame.whole, out);
  state_ = State::kFinish;
  return out;
}

Result<ChannelKeys> ServerHandshake::on_client_finish(const Frame& frame) {
  if (state_ != State::kFinish || frame.type != FrameType::kClientFinish) return out_of_order();
  state_ = State::kDone;
  identity_.owner.reset();
  const KemKeyPair key = *std::exchange(kem_key_, std::nullopt);
  EML_TRY(const KemSizes sizes, kem_sizes(key.kem_id()));
  if (frame.body.size() != sizes.enc)
    return fail(kFinishMalformed, "enc has another size than its KEM's", sizes.enc, frame.body.size());
  EML_TRY(const HpkeReceiver context, HpkeReceiver::setup(key, frame.body, info_));
  return export_keys(context, Side::kServer);
}

Result<Bytes> ClientHandshake::start(Random& random) {
  const bool offer_fits = !options_.kem_ids.empty() && options_.kem_ids.size() <= kKemOffersMax;
  if (state_ != State::kStart || !offer_fits) return out_of_order();
  client_hello_ = encode_client_hello({.random = random.array<32>(), .kem_ids = options_.kem_ids});
  state_ = State::kServerHello;
  return client_hello_;
}

Result<TrustedPeer> ClientHandshake::check_peer(ByteView bundle, Checks* checks) const {
  VerifiedBundleCache* const cache = options_.cache;
  if (cache != nullptr) {
    std::optional<TrustedPeer> known = cache->find(sha256(bundle), options_.expectation);
    if (known) {
      if (checks != nullptr)
        pass(*checks, "bundle-remembered", "these bytes passed all six checks before", Voucher::kVerifiedHere);
      return *std::move(known);
    }
  }
  EML_TRY(TrustedPeer peer, check_bundle(bundle, options_.expectation, checks));
  if (cache != nullptr) cache->remember(peer, options_.expectation);
  return peer;
}

Result<ClientHandshake::Finished> ClientHandshake::on_server_hello(const Frame& frame, Random& random, Checks* checks) {
  if (state_ != State::kServerHello || frame.type != FrameType::kServerHello) return out_of_order();
  state_ = State::kDone;
  // 1
  EML_TRY(const ServerHello hello, decode_server_hello(frame.body));
  if (std::ranges::find(options_.kem_ids, hello.kem_id) == options_.kem_ids.end()) {
    return fail(kHelloKemNotOffered, "the server took a KEM that was not offered", hello.kem_id);
  }
  EML_TRY(const KemSizes sizes, kem_sizes(hello.kem_id));
  if (hello.kem_public_key.size() != sizes.public_key) {
    return fail(kHelloMalformed, "the KEM public key has another size than its KEM's", sizes.public_key,
                hello.kem_public_key.size());
  }
  // 2
  EML_TRY(TrustedPeer peer, check_peer(hello.bundle, checks));
  // 3
  EML_CHECK(verify_hello(peer.binding.channel_key, hello_to_sign(client_hello_, frame.whole), hello.signature, checks));
  // 4
  EML_TRY(const HpkeSender context,
          HpkeSender::setup(hello.kem_id, hello.kem_public_key, channel_info(client_hello_, frame.whole), random));
  return Finished{.client_finish = concat(frame_header(FrameType::kClientFinish, context.enc().size()), context.enc()),
                  .keys = export_keys(context, Side::kClient),
                  .peer = std::move(peer),
                  .bundle = to_bytes(hello.bundle)};
}

}  // namespace eml
