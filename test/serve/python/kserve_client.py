"""Asks the service with KServe's own client, and prints what it got as JSON: kserve_client.py URL"""

import asyncio
import importlib.util
import json
import sys
import types

import numpy as np


def without_server(name):
    """A package whose __init__ is not run: kserve's imports its server, and with it all of Kubernetes."""
    package = types.ModuleType(name)
    package.__path__ = list(importlib.util.find_spec(name).submodule_search_locations)
    sys.modules[name] = package


without_server("kserve")
from kserve.inference_client import InferenceRESTClient, RESTConfig  # noqa: E402
from kserve.protocol.infer_type import InferInput, InferRequest, RequestedOutput  # noqa: E402


async def main(url):
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    ramp = (np.arange(24, dtype=np.float32) / 24).reshape(2, 12)
    report = {
        "live": await client.is_server_live(url),
        "ready": await client.is_server_ready(url),
        "model": await client.is_model_ready(url, "net"),
    }
    for name, binary in [("json", False), ("binary", True)]:
        given = InferInput("input", list(ramp.shape), "FP32")
        given.set_data_from_numpy(ramp, binary_data=binary)
        outputs = [RequestedOutput("scores", {"binary_data": binary}), RequestedOutput("classes")]
        request = InferRequest(model_name="net", infer_inputs=[given], request_id=name, request_outputs=outputs)
        response = await client.infer(url, request, model_name="net")
        report[name] = {
            "id": response.id,
            "model": response.model_name,
            "scores": response.outputs[0].as_numpy().tolist(),
            "classes": response.outputs[1].as_numpy().tolist(),
        }
    await client.close()
    print(json.dumps(report))


asyncio.run(main(sys.argv[1]))
