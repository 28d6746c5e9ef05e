"""all-MiniLM-L6-v2 in CTranslate2's format, from its safetensors.

It fills what CTranslate2's own converter for BERT does, without PyTorch.
"""
import os

import numpy as np
from bert_onnx import EPSILON, HEADS, layers
from ctranslate2.specs import common_spec, transformer_spec


def save(weights, tokens, directory):
    encoder = transformer_spec.TransformerEncoderSpec(
        layers(weights), HEADS, pre_norm=False, activation=common_spec.Activation.GELU, layernorm_embedding=True,
        num_source_embeddings=2, embeddings_merge=common_spec.EmbeddingsMerge.ADD)
    spec = transformer_spec.TransformerEncoderModelSpec(encoder)

    def dense(to, *names):
        to.weight = np.concatenate([weights[n + ".weight"] for n in names]).astype(np.float32)
        to.bias = np.concatenate([weights[n + ".bias"] for n in names]).astype(np.float32)

    def norm(to, name):
        to.gamma, to.beta = (weights[name + part].astype(np.float32) for part in (".weight", ".bias"))

    embeddings = "embeddings."
    encoder.embeddings[0].weight = weights[embeddings + "word_embeddings.weight"].astype(np.float32)
    encoder.embeddings[1].weight = weights[embeddings + "token_type_embeddings.weight"].astype(np.float32)
    encoder.position_encodings.encodings = weights[embeddings + "position_embeddings.weight"].astype(np.float32)
    encoder.scale_embeddings = False
    norm(encoder.layernorm_embedding, embeddings + "LayerNorm")
    for i, layer in enumerate(encoder.layer):
        name = f"encoder.layer.{i}."
        dense(layer.self_attention.linear[0], *(f"{name}attention.self.{part}" for part in ("query", "key", "value")))
        dense(layer.self_attention.linear[1], name + "attention.output.dense")
        norm(layer.self_attention.layer_norm, name + "attention.output.LayerNorm")
        dense(layer.ffn.linear_0, name + "intermediate.dense")
        dense(layer.ffn.linear_1, name + "output.dense")
        norm(layer.ffn.layer_norm, name + "output.LayerNorm")
    spec.register_vocabulary(tokens)
    spec.config.unk_token = "[UNK]"
    spec.config.layer_norm_epsilon = EPSILON
    spec.validate()
    spec.optimize()
    os.makedirs(directory, exist_ok=True)
    spec.save(directory)
