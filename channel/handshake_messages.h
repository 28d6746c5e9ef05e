// The three messages of the handshake, decoded and encoded. Internal to channel/.
// Source: docs/spec/channel.md, 2.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "channel/frame.h"
#include "crypto/ed25519.h"

namespace eml {

// ClientHello: u16 version | 32 random | u8 n (1..8) | n x u16 KEM id.
struct ClientHello {
  ByteArray<32> random{};
  std::vector<std::uint16_t> kem_ids;
};

// encode_client_hello gives the whole frame. decode_client_hello: kHelloVersion, else kHelloMalformed.
Bytes encode_client_hello(const ClientHello& hello);
Result<ClientHello> decode_client_hello(ByteView body);

// ServerHello: u16 version | u16 KEM id | 32 random | u16 size | KEM public key | u32 size | bundle | 64 signature.
// The views live as long as the body.
struct ServerHello {
  std::uint16_t kem_id = 0;
  ByteArray<32> random{};
  ByteView kem_public_key;
  ByteView bundle;
  Ed25519Signature signature{};
};

// encode_server_hello gives the whole frame, with the signature as it stands in `hello`. decode_server_hello:
// kHelloVersion, else kHelloMalformed. The KEM key's size is judged with the KEM.
Bytes encode_server_hello(const ServerHello& hello);
Result<ServerHello> decode_server_hello(ByteView body);

// hello_to_sign is L("eml server hello v1") || t1, t1 = H(client_hello frame || server_hello frame less 64 bytes).
Bytes hello_to_sign(ByteView client_hello_frame, ByteView server_hello_frame);
// channel_info is L("eml channel v1") || t2, t2 = H(both frames).
Bytes channel_info(ByteView client_hello_frame, ByteView server_hello_frame);

}  // namespace eml
