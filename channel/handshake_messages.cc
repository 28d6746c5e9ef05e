#include "channel/handshake_messages.h"

#include "channel/handshake.h"
#include "crypto/hash.h"
#include "encoding/reader.h"

namespace eml {
namespace {

Bytes framed(FrameType type, ByteView body) { return concat(frame_header(type, body.size()), body); }

// Every way to be too short or too long is one error, with its offset.
std::unexpected<Error> malformed(const Error& inner) {
  return fail(kHelloMalformed, "a hello is not what its format says", inner.has_first() ? inner.first() : 0);
}

Status expect_version(std::uint16_t version) {
  if (version == kChannelVersion) return {};
  return fail(kHelloVersion, "a hello has a version that this program does not have", kChannelVersion, version);
}

Result<ClientHello> read_client_hello(Reader& in) {
  ClientHello hello;
  EML_TRY(hello.random, in.array<32>());
  EML_TRY(const std::uint8_t count, in.u8());
  if (count == 0 || count > kKemOffersMax)
    return fail(kHelloMalformed, "a hello offers no KEM or too many", in.offset());
  for (std::size_t i = 0; i < count; ++i) {
    EML_TRY(const std::uint16_t kem_id, in.u16());
    hello.kem_ids.push_back(kem_id);
  }
  EML_CHECK(in.expect_end());
  return hello;
}

Result<ServerHello> read_server_hello(Reader& in) {
  ServerHello hello;
  EML_TRY(hello.kem_id, in.u16());
  EML_TRY(hello.random, in.array<32>());
  EML_TRY(const std::uint16_t key_size, in.u16());
  EML_TRY(hello.kem_public_key, in.bytes(key_size));
  EML_TRY(const std::uint32_t bundle_size, in.u32());
  EML_TRY(hello.bundle, in.bytes(bundle_size));
  EML_TRY(hello.signature, in.array<64>());
  EML_CHECK(in.expect_end());
  return hello;
}

}  // namespace

Bytes encode_client_hello(const ClientHello& hello) {
  Writer out;
  out.u16(kChannelVersion).bytes(hello.random).u8(static_cast<std::uint8_t>(hello.kem_ids.size()));
  for (const std::uint16_t kem_id : hello.kem_ids) out.u16(kem_id);
  return framed(FrameType::kClientHello, out.view());
}

Result<ClientHello> decode_client_hello(ByteView body) {
  Reader in(body);
  const Result<std::uint16_t> version = in.u16();
  if (!version) return malformed(version.error());
  EML_CHECK(expect_version(*version));
  Result<ClientHello> hello = read_client_hello(in);
  if (!hello) return malformed(hello.error());
  return hello;
}

Bytes encode_server_hello(const ServerHello& hello) {
  Writer out(hello.bundle.size() + 256);
  out.u16(kChannelVersion).u16(hello.kem_id).bytes(hello.random);
  out.u16(static_cast<std::uint16_t>(hello.kem_public_key.size())).bytes(hello.kem_public_key);
  out.u32(static_cast<std::uint32_t>(hello.bundle.size())).bytes(hello.bundle).bytes(hello.signature);
  return framed(FrameType::kServerHello, out.view());
}

Result<ServerHello> decode_server_hello(ByteView body) {
  Reader in(body);
  const Result<std::uint16_t> version = in.u16();
  if (!version) return malformed(version.error());
  EML_CHECK(expect_version(*version));
  Result<ServerHello> hello = read_server_hello(in);
  if (!hello) return malformed(hello.error());
  return hello;
}

Bytes hello_to_sign(ByteView client_hello_frame, ByteView server_hello_frame) {
  const ByteView signed_part = server_hello_frame.first(server_hello_frame.size() - sizeof(Ed25519Signature));
  return concat(label("eml server hello v1"), sha256_of({client_hello_frame, signed_part}));
}

Bytes channel_info(ByteView client_hello_frame, ByteView server_hello_frame) {
  return concat(label("eml channel v1"), sha256_of({client_hello_frame, server_hello_frame}));
}

}  // namespace eml
