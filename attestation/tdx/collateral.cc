// Reads by CollateralObject, which remembers the first failure: what is wanted of a signed object is a list of members,
// and each line of it would otherwise be three.
#include "attestation/tdx/collateral.h"

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>
#include <initializer_list>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>

#include "attestation/tdx/errors.h"
#include "encoding/json.h"
#include "encoding/json_source.h"

namespace eml::tdx {
namespace {

// Words that a level of each sort may have. Relaunch and "not supported" are conclusions and never stated.
constexpr std::initializer_list<TcbStatus> kPlatformWords{TcbStatus::kUpToDate,
                                                          TcbStatus::kSwHardeningNeeded,
                                                          TcbStatus::kConfigurationNeeded,
                                                          TcbStatus::kConfigurationAndSwHardeningNeeded,
                                                          TcbStatus::kOutOfDate,
                                                          TcbStatus::kOutOfDateConfigurationNeeded,
                                                          TcbStatus::kRevoked};
constexpr std::initializer_list<TcbStatus> kSvnWords{TcbStatus::kUpToDate, TcbStatus::kOutOfDate, TcbStatus::kRevoked};

class CollateralObject {
 public:
  explicit CollateralObject(const JsonObject& object) : object_(object) {}

  bool has(std::string_view name) const { return object_.contains(name); }
  bool good() const { return good_; }
  Status status() const {
    if (good_) return {};
    return fail(kParse, "the collateral lacks a member, or one has another form");
  }

  template <std::size_t n>
  ByteArray<n> hex_bytes(std::string_view name) {
    const auto bytes = from_hex(text(name));
    const auto array = bytes ? to_array<n>(*bytes) : std::nullopt;
    if (!array) good_ = false;
    return array.value_or(ByteArray<n>{});
  }

  std::string_view text(std::string_view name) { return take(json_text(object_, name)); }
  std::uint64_t number(std::string_view name) { return take(json_uint(object_, name)); }
  template <typename T>
  T svn(std::string_view name) {
    const std::uint64_t value = number(name);
    if (value > std::numeric_limits<T>::max()) good_ = false;
    return static_cast<T>(value);
  }
  UnixSeconds date(std::string_view name) { return take(parse_rfc3339(text(name))); }
  const JsonArray& array(std::string_view name) {
    static const JsonArray kNone;
    const auto found = json_array(object_, name);
    if (!found) good_ = false;
    return found ? **found : kNone;
  }
  const JsonObject& object(std::string_view name) {
    static const JsonObject kNone;
    const auto found = json_object(object_, name);
    if (!found) good_ = false;
    return found ? **found : kNone;
  }

  TcbStatus status_word(std::initializer_list<TcbStatus> allowed) {
    const auto word = parse_tcb_status(text("tcbStatus"));
    if (!word || std::ranges::find(allowed, *word) == allowed.end()) good_ = false;
    return word.value_or(TcbStatus::kRevoked);
  }

  std::vector<std::string> advisories() {
    std::vector<std::string> out;
    if (!has("advisoryIDs")) return out;
    for (const Json& id : array("advisoryIDs")) {
      if (id.is_string()) {
        out.emplace_back(std::string_view(id.get_string()));
      } else {
        good_ = false;
      }
    }
    return out;
  }

 private:
  template <typename T>
  T take(Result<T> read) {
    if (!read) good_ = false;
    return read ? *std::move(read) : T{};
  }

  const JsonObject& object_;
  bool good_ = true;
};

// decode_each decodes an array of at least one object.
template <typename T, typename Decode>
Status decode_each(const JsonArray& array, std::vector<T>& out, Decode decode) {
  out.reserve(array.size());
  for (const Json& element : array) {
    if (!element.is_object()) return fail(kParse, "the collateral lists what is no object");
    EML_TRY(T one, decode(element.get_object()));
    out.push_back(std::move(one));
  }
  if (out.empty()) return fail(kParse, "the collateral has an empty list of levels or modules");
  return {};
}

// has_twins: two neighbours of a sorted list have the same key.
template <typename T, typename Key>
bool has_twins(const std::vector<T>& sorted, Key key) {
  return std::ranges::adjacent_find(sorted, [&](const T& a, const T& b) { return key(a) == key(b); }) != sorted.end();
}

Result<SvnLevel> decode_svn_level(const JsonObject& json) {
  CollateralObject in(json);
  CollateralObject tcb(in.object("tcb"));
  SvnLevel out;
  out.isvsvn = tcb.svn<std::uint16_t>("isvsvn");
  out.date = in.date("tcbDate");
  out.status = in.status_word(kSvnWords);
  out.advisories = in.advisories();
  EML_CHECK(tcb.status());
  EML_CHECK(in.status());
  return out;
}

Status decode_svn_levels(const JsonArray& json, std::vector<SvnLevel>& out) {
  EML_CHECK(decode_each(json, out, decode_svn_level));
  std::ranges::sort(out, std::greater{}, &SvnLevel::isvsvn);
  if (has_twins(out, [](const SvnLevel& level) { return level.isvsvn; })) return fail(kParse, "one level twice");
  return {};
}

TdxModule decode_module(CollateralObject& in) {
  return {.mrsigner = in.hex_bytes<48>("mrsigner"),
          .attributes = in.hex_bytes<8>("attributes"),
          .attributes_mask = in.hex_bytes<8>("attributesMask")};
}

// "TDX_03" is version 3; the digits are hexadecimal, of either case.
Result<std::uint8_t> decode_module_id(std::string_view id) {
  const auto version = id.starts_with("TDX_") ? from_hex(id.substr(4)) : std::nullopt;
  if (!version || version->size() != 1) return fail(kParse, "the id of a TDX module is not TDX_ and two digits");
  return version->front();
}

Result<TdxModuleIdentity> decode_identity(const JsonObject& json) {
  CollateralObject in(json);
  TdxModuleIdentity out;
  out.module = decode_module(in);
  const std::string_view id = in.text("id");
  const JsonArray& levels = in.array("tcbLevels");
  EML_CHECK(in.status());
  EML_TRY(out.version, decode_module_id(id));
  EML_CHECK(decode_svn_levels(levels, out.levels));
  return out;
}

// Version 3: an array of 16 objects, whose other members (category, type) are for people.
Result<ByteArray<16>> decode_components(const JsonArray& json) {
  ByteArray<16> out{};
  if (json.size() != out.size()) return fail(kParse, "a level has not 16 components");
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!json[i].is_object()) return fail(kParse, "a component is no object");
    CollateralObject component(json[i].get_object());
    out[i] = component.svn<std::uint8_t>("svn");
    EML_CHECK(component.status());
  }
  return out;
}

// Version 2: sgxtcbcomp01svn to sgxtcbcomp16svn.
ByteArray<16> decode_numbered_components(CollateralObject& tcb) {
  ByteArray<16> out{};
  std::string name = "sgxtcbcomp00svn";
  for (std::size_t i = 0; i < out.size(); ++i) {
    name[10] = static_cast<char>('0' + (i + 1) / 10);
    name[11] = static_cast<char>('0' + (i + 1) % 10);
    out[i] = tcb.svn<std::uint8_t>(name);
  }
  return out;
}

Result<TcbLevel> decode_level(const JsonObject& json, const TcbInfo& info) {
  CollateralObject in(json);
  CollateralObject tcb(in.object("tcb"));
  TcbLevel out;
  if (info.version == 2) {
    out.sgx = decode_numbered_components(tcb);
  } else {
    EML_TRY(out.sgx, decode_components(tcb.array("sgxtcbcomponents")));
  }
  if (info.id == TcbInfoId::kTdx) {
    EML_TRY(out.tdx, decode_components(tcb.array("tdxtcbcomponents")));
  }
  out.pcesvn = tcb.svn<std::uint16_t>("pcesvn");
  out.date = in.date("tcbDate");
  out.status = in.status_word(kPlatformWords);
  out.advisories = in.advisories();
  EML_CHECK(tcb.status());
  EML_CHECK(in.status());
  return out;
}

auto level_key(const TcbLevel& level) { return std::tie(level.sgx, level.pcesvn, level.tdx); }

Status decode_levels(const JsonArray& json, TcbInfo& out) {
  EML_CHECK(decode_each(json, out.levels, [&](const JsonObject& level) { return decode_level(level, out); }));
  std::ranges::sort(out.levels, [](const TcbLevel& a, const TcbLevel& b) { return level_key(b) < level_key(a); });
  if (has_twins(out.levels, level_key)) return fail(kParse, "one TCB level twice");
  return {};
}

Status decode_modules(CollateralObject& in, TcbInfo& out) {
  CollateralObject module(in.object("tdxModule"));
  out.module = decode_module(module);
  EML_CHECK(module.status());
  EML_CHECK(in.status());
  if (!in.has("tdxModuleIdentities")) return {};
  EML_CHECK(decode_each(in.array("tdxModuleIdentities"), out.identities, decode_identity));
  std::ranges::sort(out.identities, std::less{}, &TdxModuleIdentity::version);
  if (has_twins(out.identities, [](const TdxModuleIdentity& one) { return one.version; })) {
    return fail(kParse, "one TDX module twice");
  }
  return {};
}

// Sealed is {"NAME":{...},"signature":"..."} with what the signature covers.
struct Sealed {
  Json document;
  const JsonObject* body = nullptr;
  SignedText text{};
};

Result<SignedText> decode_signed_text(ByteView json, const JsonObject& document, std::string_view name,
                                      const ErrorCode& no_signature) {
  SignedText out;
  const auto source = json_member_source(json, name);
  if (!source) return fail(kParse, "the signed member is written with escapes");
  out.signed_bytes = to_bytes(*source);
  const auto hex_text = json_text(document, "signature");
  auto signature = hex_text ? from_hex(*hex_text) : std::nullopt;
  if (!signature || signature->size() != 64) return fail(no_signature, "the collateral has no signature of 64 bytes");
  out.signature = *std::move(signature);
  return out;
}

Result<Sealed> decode_sealed(ByteView json, std::string_view name, const ErrorCode& no_signature,
                             boost::json::storage_ptr storage) {
  if (json.size() > kCollateralBytesMax) return fail(kParse, "the collateral is too large", json.size());
  auto document = parse_json(json, {.bytes_max = kCollateralBytesMax, .depth_max = 32}, std::move(storage));
  if (!document) return fail(kParse, "the collateral is not strict JSON", document.error().first());
  if (!document->is_object()) return fail(kParse, "the collateral is no object");
  // Constructed and not assigned: an assignment between two storages copies.
  Sealed out{.document = *std::move(document)};
  const JsonObject& object = out.document.get_object();
  if (!expect_members(object, {name, "signature"})) return fail(kParse, "the collateral has a member more");
  const auto body = json_object(object, name);
  if (!body) return fail(kParse, "the collateral lacks its signed object");
  out.body = *body;
  EML_TRY(out.text, decode_signed_text(json, object, name, no_signature));
  return out;
}

Result<TcbInfoId> decode_tcb_info_id(CollateralObject& in, unsigned version) {
  if (version == 2) return TcbInfoId::kSgx;
  const std::string_view id = in.text("id");
  EML_CHECK(in.status());
  if (id == "SGX") return TcbInfoId::kSgx;
  if (id == "TDX") return TcbInfoId::kTdx;
  return fail(kTcbInfoType, "TCB info of another id than SGX and TDX");
}

Status decode_tcb_info_kind(CollateralObject& in, TcbInfo& out) {
  const std::uint64_t version = in.number("version");
  const std::uint64_t type = in.number("tcbType");
  EML_CHECK(in.status());
  if (version != 2 && version != 3) return fail(kTcbInfoType, "TCB info of another version than 2 and 3", version);
  if (type != 0) return fail(kTcbInfoType, "TCB info of another type than 0", type);
  out.version = static_cast<unsigned>(version);
  EML_TRY(out.id, decode_tcb_info_id(in, out.version));
  return {};
}

Status decode_qe_kind(CollateralObject& in, QeIdentity& out) {
  const std::uint64_t version = in.number("version");
  const std::string_view id = in.text("id");
  EML_CHECK(in.status());
  if (version != 2) return fail(kQeIdentityMismatch, "an enclave identity of another version than 2", version);
  if (id != "QE" && id != "TD_QE") return fail(kQeIdentityMismatch, "an identity of another enclave than QE and TD_QE");
  out.id = id == "QE" ? QeIdentityId::kQe : QeIdentityId::kTdQe;
  return {};
}

Validity decode_validity(CollateralObject& in) {
  return {.issue_date = in.date("issueDate"), .next_update = in.date("nextUpdate")};
}

}  // namespace

Result<TcbInfo> decode_tcb_info(ByteView json) {
  boost::json::monotonic_resource arena;  // the tree is read once and thrown away
  EML_TRY(Sealed sealed, decode_sealed(json, "tcbInfo", kTcbInfoSignature, &arena));
  CollateralObject in(*sealed.body);
  TcbInfo out;
  out.text = std::move(sealed.text);
  EML_CHECK(decode_tcb_info_kind(in, out));
  out.validity = decode_validity(in);
  out.fmspc = in.hex_bytes<6>("fmspc");
  out.pceid = in.hex_bytes<2>("pceId");
  out.evaluation_data_number = in.number("tcbEvaluationDataNumber");
  const JsonArray& levels = in.array("tcbLevels");
  EML_CHECK(in.status());
  if (out.id == TcbInfoId::kTdx) {
    EML_CHECK(decode_modules(in, out));
  } else if (in.has("tdxModule") || in.has("tdxModuleIdentities")) {
    return fail(kTcbInfoType, "TCB info for SGX speaks of TDX modules");
  }
  EML_CHECK(decode_levels(levels, out));
  return out;
}

Result<QeIdentity> decode_qe_identity(ByteView json) {
  boost::json::monotonic_resource arena;
  EML_TRY(Sealed sealed, decode_sealed(json, "enclaveIdentity", kQeIdentitySignature, &arena));
  CollateralObject in(*sealed.body);
  QeIdentity out;
  out.text = std::move(sealed.text);
  EML_CHECK(decode_qe_kind(in, out));
  out.validity = decode_validity(in);
  out.evaluation_data_number = in.number("tcbEvaluationDataNumber");
  out.misc_select = in.hex_bytes<4>("miscselect");
  out.misc_select_mask = in.hex_bytes<4>("miscselectMask");
  out.attributes = in.hex_bytes<16>("attributes");
  out.attributes_mask = in.hex_bytes<16>("attributesMask");
  out.mr_signer = in.hex_bytes<32>("mrsigner");
  out.isv_prod_id = in.svn<std::uint16_t>("isvprodid");
  const JsonArray& levels = in.array("tcbLevels");
  EML_CHECK(in.status());
  EML_CHECK(decode_svn_levels(levels, out.levels));
  return out;
}

const TdxModuleIdentity* find_identity(const TcbInfo& info, std::uint8_t version) {
  const auto found = std::ranges::find(info.identities, version, &TdxModuleIdentity::version);
  return found == info.identities.end() ? nullptr : &*found;
}

const SvnLevel* best_level(const std::vector<SvnLevel>& levels, std::uint16_t isvsvn) {
  const auto found = std::ranges::find_if(levels, [&](const SvnLevel& level) { return level.isvsvn <= isvsvn; });
  return found == levels.end() ? nullptr : &*found;
}

}  // namespace eml::tdx
