"""Asks the service with Triton's own client, and prints what it got as JSON: triton_client.py HOST:PORT"""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(sys.argv[1])
report = {}


def asked(data, model="net", datatype="FP32", binary=True, outputs=None, **options):
    """The outputs of one request, as lists by name."""
    request = triton.InferInput("input", list(data.shape), datatype)
    request.set_data_from_numpy(data, binary_data=binary)
    result = client.infer(model, [request], outputs=outputs, **options)
    response = result.get_response()
    names = [output["name"] for output in response["outputs"]]
    values = {name: result.as_numpy(name).tolist() for name in names}
    return {"id": response.get("id"), "version": response["model_version"], **values}


def refused(action):
    try:
        action()
    except InferenceServerException as error:
        return [error.status(), error.message()]
    return None


ramp = (np.arange(24, dtype=np.float32) / 24).reshape(2, 12)
report["health"] = [client.is_server_live(), client.is_server_ready(), client.is_model_ready("net")]
report["health of one that is not there"] = client.is_model_ready("none")
report["server"] = client.get_server_metadata()
report["model"] = client.get_model_metadata("net")

report["binary"] = asked(ramp, request_id="first")
report["json"] = asked(ramp, binary=False, outputs=[triton.InferRequestedOutput("scores", binary_data=False)])
report["json in, binary out"] = asked(ramp, binary=False, outputs=[triton.InferRequestedOutput("scores")])
report["binary in, json out"] = asked(ramp, outputs=[triton.InferRequestedOutput("scores", binary_data=False)])
report["version"] = asked(ramp, model_version="1")["version"]
for algorithm in ["gzip", "deflate"]:
    compressed = asked(ramp, request_compression_algorithm=algorithm, response_compression_algorithm=algorithm)
    report[algorithm] = compressed["scores"]

whole = np.arange(12).reshape(1, 12) % 3
numbers = {
    "BOOL": (whole > 0).astype(bool),
    "UINT8": whole.astype(np.uint8),
    "INT8": whole.astype(np.int8),
    "INT16": whole.astype(np.int16),
    "INT32": whole.astype(np.int32),
    "INT64": whole.astype(np.int64),
    "FP16": whole.astype(np.float16),
    "FP32": whole.astype(np.float32),
    "FP64": whole.astype(np.float64),
}
report["datatypes"] = {
    name: [asked(data, datatype=name, binary=binary)["scores"] for binary in ([True, False] if name != "FP16" else [True])]
    for name, data in numbers.items()
}

classes = [triton.InferRequestedOutput("scores", class_count=2), triton.InferRequestedOutput("classes")]
binary_classes = asked(ramp, outputs=classes)
report["classes"] = [[text.decode() if isinstance(text, bytes) else text for text in row] for row in binary_classes["scores"]]
report["class"] = binary_classes["classes"]
json_classes = asked(ramp, outputs=[triton.InferRequestedOutput("scores", binary_data=False, class_count=2)])
report["classes as json"] = json_classes["scores"]

steps = (np.arange(48, dtype=np.float32) / 48).reshape(1, 4, 12)
report["sequence at once"] = asked(steps, outputs=[triton.InferRequestedOutput("steps")])["steps"]
for identity in [5, "a stream"]:
    parts = [
        asked(
            steps[:, step : step + 1],
            outputs=[triton.InferRequestedOutput("steps")],
            sequence_id=identity,
            sequence_start=step == 0,
            sequence_end=step == 3,
        )["steps"][0][0]
        for step in range(4)
    ]
    report[f"sequence {identity}"] = parts
report["sequence that ended"] = refused(lambda: asked(steps[:, :1], sequence_id=5))

report["unknown model"] = refused(lambda: asked(ramp, model="none"))
report["wrong shape"] = refused(lambda: asked(ramp[:, :5]))
report["timeout"] = asked(ramp, timeout=20_000_000, priority=1)["scores"]

statistics = client.get_inference_statistics("net")["model_stats"][0]
report["statistics"] = [statistics["name"], statistics["version"], statistics["inference_stats"]["success"]["count"] > 10]
report["all statistics"] = len(client.get_inference_statistics()["model_stats"])

states = lambda: {model["name"]: model["state"] for model in client.get_model_repository_index()}
report["index"] = states()
client.unload_model("net")
report["unloaded"] = [states(), client.is_model_ready("net"), refused(lambda: asked(ramp))[0]]
client.load_model("net")
report["loaded"] = [states(), client.is_model_ready("net"), asked(ramp)["scores"]]
report["load of one that is not there"] = refused(lambda: client.load_model("none"))[0]

print(json.dumps(report))
