"""all-MiniLM-L6-v2 as ONNX graphs, from its safetensors and without PyTorch.

`plain` is what an exporter writes (opset 17); `fused` uses ONNX Runtime's own operators for embeddings, attention, GELU
and norms, as its transformer optimizer does. Pooling and unit length are in the graph.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEADS = 12
EPSILON = 1e-12


class Graph:
    def __init__(self, weights):
        self.weights = weights
        self.nodes, self.initializers = [], []
        self.count = 0

    def constant(self, array, name=None):
        self.count += 1
        name = name or f"c{self.count}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, name):
        return self.constant(self.weights[name].astype(np.float32), name)

    def op(self, kind, *inputs, domain="", outputs=1, **attributes):
        self.count += 1
        names = [f"t{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names[0]

    def linear(self, x, name):
        product = self.op("MatMul", x, self.constant(self.weights[name + ".weight"].T.astype(np.float32)))
        return self.op("Add", product, self.weight(name + ".bias"))

    def norm(self, x, name):
        return self.op("LayerNormalization", x, self.weight(name + ".weight"), self.weight(name + ".bias"),
                       axis=-1, epsilon=EPSILON)

    def pooled(self, x):
        """The mean over the mask, of length one."""
        mask = self.op("Cast", self.op("Unsqueeze", "mask", self.constant(np.array([2]))), to=TensorProto.FLOAT)
        total = self.op("ReduceSum", self.op("Mul", x, mask), self.constant(np.array([1])), keepdims=0)
        square = self.op("ReduceSum", self.op("Mul", total, total), self.constant(np.array([1])), keepdims=1)
        self.nodes.append(helper.make_node("Div", [total, self.op("Sqrt", square)], ["vectors"]))

    def model(self):
        inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["n", "s"]) for n in ("ids", "mask")]
        outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", 384])]
        graph = helper.make_graph(self.nodes, "bert", inputs, outputs, self.initializers)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def layers(weights):
    return 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))


def plain(weights):
    g = Graph(weights)
    hidden = weights["embeddings.word_embeddings.weight"].shape[1]
    size = hidden // HEADS
    positions = g.op("Slice", g.weight("embeddings.position_embeddings.weight"), g.constant(np.array([0])),
                     g.op("Slice", g.op("Shape", "ids"), g.constant(np.array([1])), g.constant(np.array([2]))))
    words = g.op("Gather", g.weight("embeddings.word_embeddings.weight"), "ids")
    types = g.constant(weights["embeddings.token_type_embeddings.weight"][0].astype(np.float32))
    x = g.norm(g.op("Add", g.op("Add", words, types), positions), "embeddings.LayerNorm")
    inside = g.op("Cast", g.op("Unsqueeze", "mask", g.constant(np.array([1, 2]))), to=TensorProto.FLOAT)
    outside = g.op("Mul", g.op("Sub", g.constant(np.float32(1)), inside), g.constant(np.float32(-1e4)))
    split = g.constant(np.array([0, 0, HEADS, size]))
    joined = g.constant(np.array([0, 0, hidden]))
    for i in range(layers(weights)):
        layer = f"encoder.layer.{i}."
        q, k, v = (g.op("Reshape", g.linear(x, f"{layer}attention.self.{part}"), split)
                   for part in ("query", "key", "value"))
        q, v = (g.op("Transpose", part, perm=[0, 2, 1, 3]) for part in (q, v))
        products = g.op("MatMul", q, g.op("Transpose", k, perm=[0, 2, 3, 1]))
        scores = g.op("Div", products, g.constant(np.float32(size**0.5)))
        share = g.op("Softmax", g.op("Add", scores, outside), axis=-1)
        context = g.op("Reshape", g.op("Transpose", g.op("MatMul", share, v), perm=[0, 2, 1, 3]), joined)
        attended = g.linear(context, layer + "attention.output.dense")
        x = g.norm(g.op("Add", attended, x), layer + "attention.output.LayerNorm")
        h = g.linear(x, layer + "intermediate.dense")
        erf = g.op("Add", g.op("Erf", g.op("Div", h, g.constant(np.float32(2**0.5)))), g.constant(np.float32(1)))
        h = g.op("Mul", g.op("Mul", h, erf), g.constant(np.float32(0.5)))
        x = g.norm(g.op("Add", g.linear(h, layer + "output.dense"), x), layer + "output.LayerNorm")
    g.pooled(x)
    return g.model()


def fused(weights):
    g = Graph(weights)
    ms = {"domain": "com.microsoft"}
    name = "embeddings."
    to32 = [g.op("Cast", n, to=TensorProto.INT32) for n in ("ids", "mask")]
    x = g.op("EmbedLayerNormalization", to32[0], "", g.weight(name + "word_embeddings.weight"),
             g.weight(name + "position_embeddings.weight"), "", g.weight(name + "LayerNorm.weight"),
             g.weight(name + "LayerNorm.bias"), outputs=2, epsilon=EPSILON, **ms)
    # Without segment ids the operator adds no token type: it goes into the positions.
    for tensor in g.initializers:
        if tensor.name == name + "position_embeddings.weight":
            types = weights[name + "token_type_embeddings.weight"][0]
            tensor.CopyFrom(numpy_helper.from_array(
                (weights[name + "position_embeddings.weight"] + types).astype(np.float32), tensor.name))

    def skip_norm(x, product, bias, norm):
        return g.op("SkipLayerNormalization", product, x, g.weight(norm + ".weight"), g.weight(norm + ".bias"),
                    g.weight(bias), epsilon=EPSILON, **ms)

    def product(x, name):
        return g.op("MatMul", x, g.constant(weights[name + ".weight"].T.astype(np.float32)))

    for i in range(layers(weights)):
        layer = f"encoder.layer.{i}."
        parts = [f"{layer}attention.self.{part}" for part in ("query", "key", "value")]
        qkv = np.concatenate([weights[p + ".weight"].T for p in parts], axis=1).astype(np.float32)
        bias = np.concatenate([weights[p + ".bias"] for p in parts]).astype(np.float32)
        context = g.op("Attention", x, g.constant(qkv), g.constant(bias), to32[1], num_heads=HEADS, **ms)
        dense = layer + "attention.output.dense"
        x = skip_norm(x, product(context, dense), dense + ".bias", layer + "attention.output.LayerNorm")
        up = layer + "intermediate.dense"
        h = g.op("BiasGelu", product(x, up), g.weight(up + ".bias"), **ms)
        down = layer + "output.dense"
        x = skip_norm(x, product(h, down), down + ".bias", layer + "output.LayerNorm")
    g.pooled(x)
    return g.model()


def save(weights, directory):
    """Writes plain.onnx, fused.onnx and int8.onnx (dynamic quantization of the fused graph)."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    for build in (plain, fused):
        onnx.save(build(weights), f"{directory}/{build.__name__}.onnx")
    quantize_dynamic(f"{directory}/fused.onnx", f"{directory}/int8.onnx", weight_type=QuantType.QInt8,
                     op_types_to_quantize=["MatMul", "Attention"],
                     extra_options={"DefaultTensorType": TensorProto.FLOAT})
