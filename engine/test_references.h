// The reference texts of all-MiniLM-L6-v2: their ids, and their embeddings computed in float64.
// Source: shared vectors, vectors/minilm.
#pragma once

#include <vector>

#include "encoding/json.h"
#include "engine/test_model.h"

namespace eml::test {

struct Reference {
  std::vector<TokenId> ids;
  std::vector<double> embedding;
};

// references reads them all; none if the vectors are not there.
inline std::vector<Reference> references() {
  std::vector<Reference> out;
  const auto lines = read_file(shared_dir() / "vectors/minilm/all-minilm-l6-v2.jsonl");
  if (!lines) return out;
  for (std::size_t begin = 0, end = 0; (end = lines->find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto json = parse_json(as_bytes(std::string_view(*lines).substr(begin, end - begin)));
    Reference reference;
    for (const Json& id : json->at("ids").as_array()) reference.ids.push_back(static_cast<TokenId>(id.as_int64()));
    for (const Json& x : json->at("embedding").as_array()) reference.embedding.push_back(x.to_number<double>());
    out.push_back(std::move(reference));
  }
  return out;
}

}  // namespace eml::test
