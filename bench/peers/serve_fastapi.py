"""The network of `spikingrx serve --demo`, in SpikingJelly behind FastAPI and uvicorn: what bench/serve.ts compares with.

Same shapes, T, neurons and threads; the weights are untrained. As one would write it with some care: evaluation in
inference mode, multi-step layers, the first convolution once for the T equal steps, uvloop and httptools, no access log,
a raw route beside the JSON one, and the network called on the event loop. Its neurons keep their membranes in the modules,
so that one request is computed at a time anyway, and a thread pool would only add switches.

    python serve_fastapi.py THREADS
"""

import socket
import sys

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from spikingjelly.activation_based import functional, layer, neuron
from torch import nn

STEPS, SIDE, CLASSES = 8, 28, 10


def lif():
    return neuron.LIFNode(tau=2.0, v_threshold=0.5, v_reset=None, step_mode="m")


def stage(channels_in, channels, kernel, stride, padding):
    return nn.Sequential(
        layer.Conv2d(channels_in, channels, kernel, stride, padding, step_mode="m"),
        layer.BatchNorm2d(channels, step_mode="m"),
        lif(),
    )


class SewBlock(nn.Module):
    """y = f(x) + g(x), f two stages of 3x3, g one of 1x1."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.main = nn.Sequential(stage(channels_in, channels, 3, stride, 1), stage(channels, channels, 3, 1, 1))
        self.shortcut = stage(channels_in, channels, 1, stride, 0)

    def forward(self, x):
        return self.main(x) + self.shortcut(x)


class Network(nn.Module):
    """[B, 1, 28, 28] -> [B, 10], the mean over T steps."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(nn.Conv2d(1, 16, 3, 2, 1), nn.BatchNorm2d(16))
        self.lif = lif()
        self.block = SewBlock(16, 32, 2)
        self.classify = nn.Linear(32 * 7 * 7, CLASSES)

    def forward(self, x):
        current = self.encode(x).expand(STEPS, -1, -1, -1, -1)
        spikes = self.block(self.lif(current.contiguous()))
        scores = self.classify(spikes.flatten(2)).mean(0)
        functional.reset_net(self)
        return scores


class Image(BaseModel):
    data: list[int]


network = Network().eval()
app = FastAPI()


@torch.inference_mode()
def scores_of(pixels):
    images = torch.from_numpy(pixels).view(-1, 1, SIDE, SIDE).to(torch.float32).div_(255)
    return network(images)


@app.get("/ready")
async def ready():
    return {"ready": True}


@app.post("/infer")
async def infer(image: Image):
    scores = scores_of(np.array(image.data, dtype=np.uint8))[0]
    return {"scores": scores.tolist(), "class": int(scores.argmax())}


@app.post("/raw")
async def raw(request: Request):
    """Pixels in; ten 32-bit floats out."""
    scores = scores_of(np.frombuffer(bytearray(await request.body()), dtype=np.uint8))
    return Response(scores.numpy().tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    for _ in range(20):
        scores_of(np.zeros(SIDE * SIDE, dtype=np.uint8))
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"Serving at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    configuration = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
    uvicorn.Server(configuration).run(sockets=[listener])
