// EvidenceCorpus runs the cases of one kind of the shared evidence corpus through a judge and says where they differ.
// The cases are data beside the source tree, never in it: without them a test is skipped.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "attestation/judge.h"
#include "tests/support/shared.h"

namespace eml::test {

// CorpusCase is one case with its files read.
struct CorpusCase {
  std::string id;
  Bytes evidence;
  bool has_evidence = false;
  Collateral collateral;
  std::optional<Bytes> root;  // collateral.root, passed as the one trusted root
  UnixSeconds time = 0;
  Json policy;
  Json expect;
  bool either = false;

  EvidenceInput input() const {
    return {.evidence = evidence, .collateral = &collateral, .time = time, .requirements = &policy, .root = root};
  }
  // graded: "valid" or "invalid", and not `either`.
  bool graded() const;
  bool expects_valid() const;
};

// CorpusReport is what a run found. Differences are one line each, for a person.
struct CorpusReport {
  std::size_t graded = 0;
  std::size_t agree = 0;
  std::vector<std::string> verdict_differences;
  std::vector<std::string> field_differences;
  std::size_t classes = 0;  // graded invalid cases that were found invalid
  std::size_t classes_agree = 0;
  std::vector<std::string> class_differences;
};

namespace corpus_detail {

inline std::filesystem::path corpus_dir() { return shared_dir() / "corpus"; }

inline const Json* member(const Json& json, std::string_view name) {
  const Json* found = json.is_object() ? json.get_object().if_contains(name) : nullptr;
  return found == nullptr || found->is_null() ? nullptr : found;
}

inline std::string text(const Json& json, std::string_view name) {
  const Json* found = member(json, name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

// A named file that is not there is a broken corpus, not a skipped case.
inline Bytes must_read(std::string_view path) {
  auto bytes = read_bytes(corpus_dir() / path);
  if (!bytes) throw std::runtime_error("the corpus lacks " + std::string(path));
  return *std::move(bytes);
}

inline CorpusCase read_case(const Json& json) {
  CorpusCase out;
  out.id = text(json, "id");
  out.has_evidence = member(json, "evidence") != nullptr;
  if (out.has_evidence) out.evidence = must_read(text(json, "evidence"));
  if (const Json* collateral = member(json, "collateral")) {
    for (const auto& file : collateral->get_object()) {
      if (!file.value().is_string()) continue;
      Bytes bytes = must_read(file.value().get_string());
      if (file.key() == "root") {
        out.root = std::move(bytes);
      } else {
        out.collateral.emplace(file.key(), std::move(bytes));
      }
    }
  }
  if (member(json, "time") != nullptr) out.time = parse_rfc3339(text(json, "time")).value_or(0);
  if (const Json* policy = member(json, "policy")) out.policy = *policy;
  out.expect = *member(json, "expect");
  const Json* either = member(json, "either");
  out.either = either != nullptr && either->is_bool() && either->get_bool();
  return out;
}

inline std::string class_of(const Error& error, const std::string& kind) {
  std::string name(error.code().name);
  if (name.starts_with(kind + "-")) name.erase(0, kind.size() + 1);
  std::ranges::replace(name, '-', '_');
  return name;
}

inline bool class_agrees(const Json& expect, const std::string& got) {
  if (text(expect, "error") == got) return true;
  const Json* also = member(expect, "error_also");
  return also != nullptr && std::ranges::any_of(also->get_array(), [&](const Json& one) {
           return one.is_string() && std::string_view(one.get_string()) == got;
         });
}

inline void compare_class(const CorpusCase& one, const std::string& got, CorpusReport& out) {
  ++out.classes;
  if (class_agrees(one.expect, got)) {
    ++out.classes_agree;
  } else {
    out.class_differences.push_back(one.id + ": expected " + text(one.expect, "error") + ", got " + got);
  }
}

}  // namespace corpus_detail

inline bool CorpusCase::expects_valid() const { return corpus_detail::text(expect, "verdict") == "valid"; }

inline bool CorpusCase::graded() const {
  const std::string verdict = corpus_detail::text(expect, "verdict");
  return !either && (verdict == "valid" || verdict == "invalid");
}

inline std::vector<CorpusCase> corpus_cases(const std::string& kind) {
  std::vector<CorpusCase> out;
  for (const char* name : {"cases.json", "neg_cases.json", "synth_cases.json"}) {
    const auto json = read_bytes(corpus_detail::corpus_dir() / "open" / kind / name);
    if (!json) continue;
    const auto cases = parse_json(*json, {.bytes_max = std::size_t{8} << 20});
    for (const Json& one : cases.value().as_array()) out.push_back(corpus_detail::read_case(one));
  }
  return out;
}

inline std::string json_difference(const Json& expected, const Json& got) {
  if (!expected.is_object()) return expected == got ? "" : compact_json(expected) + " is " + compact_json(got);
  for (const auto& one : expected.get_object()) {
    const Json* found = got.is_object() ? got.get_object().if_contains(one.key()) : nullptr;
    if (found == nullptr) return std::string(one.key()) + " is missing";
    const std::string inner = json_difference(one.value(), *found);
    if (!inner.empty()) return std::string(one.key()) + ": " + inner;
  }
  return "";
}

inline CorpusReport run_corpus(const std::vector<CorpusCase>& cases, const std::string& kind,
                               const std::function<EvidenceVerdict(const EvidenceInput&)>& judge) {
  CorpusReport out;
  for (const CorpusCase& one : cases) {
    const EvidenceVerdict verdict = judge(one.input());
    const std::string got = verdict.error ? verdict.error->to_string() : "valid";
    if (!one.graded()) continue;
    if (const Json* fields = corpus_detail::member(one.expect, "fields")) {
      const std::string difference = json_difference(*fields, verdict.fields);
      if (!difference.empty()) out.field_differences.push_back(one.id + ": " + difference.substr(0, 300));
    }
    ++out.graded;
    if (one.expects_valid() != !verdict.error.has_value()) {
      out.verdict_differences.push_back(one.id + ": expected " + compact_json(one.expect).substr(0, 120) + ", got " +
                                        got);
      continue;
    }
    ++out.agree;
    if (verdict.error) corpus_detail::compare_class(one, corpus_detail::class_of(*verdict.error, kind), out);
  }
  return out;
}

}  // namespace eml::test
