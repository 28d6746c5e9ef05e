// ServedModel is a model whose every file matched its signed manifest, ready to answer.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "crypto/signed_model.h"
#include "engine/embedding_model.h"

namespace eml {

struct ServedModel {
  SignedModel identity;
  Bytes manifest;              // as it arrived: goes into every bundle
  Bytes release_record;        // what the key's provider signed; empty if nothing
  bool dek_from_file = false;  // no evidence was looked at: the mode is evaluation
  std::shared_ptr<const EmbeddingModel> model;
};

}  // namespace eml
