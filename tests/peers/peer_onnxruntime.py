"""peer_onnxruntime.py GRAPH THREADS"""
import sys

import onnxruntime
import worker

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
options.inter_op_num_threads = 1
options.add_session_config_entry("session.set_denormal_as_zero", "0")
if int(sys.argv[2]) > 1:
    # Its idle threads would otherwise spin on the cores of whichever peer runs next.
    options.add_session_config_entry("session.force_spinning_stop", "1")
options.log_severity_level = 3
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])


def embed(texts):
    ids, mask = worker.padded(texts)
    return session.run(None, {"ids": ids, "mask": mask})[0]


worker.serve(embed)
