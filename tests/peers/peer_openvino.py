"""peer_openvino.py GRAPH THREADS"""
import sys

import openvino
import worker

core = openvino.Core()
model = core.compile_model(core.read_model(sys.argv[1]), "CPU", {
    "INFERENCE_NUM_THREADS": int(sys.argv[2]),
    "NUM_STREAMS": 1,
    "INFERENCE_PRECISION_HINT": "f32",  # its default on processors with bf16 is not fp32
})
request = model.create_infer_request()


def embed(texts):
    ids, mask = worker.padded(texts)
    return request.infer({"ids": ids, "mask": mask})[0].copy()


worker.serve(embed)
