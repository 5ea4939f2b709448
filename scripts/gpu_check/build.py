"""Core and plugin, built against this Python's torch and loaded into this process."""
import os
import pathlib
import shutil
import subprocess
import sys
from dataclasses import dataclass

import torch

root = pathlib.Path(__file__).resolve().parents[2]
libtorch = pathlib.Path(torch.__file__).parent


@dataclass
class Files:
    core: pathlib.Path
    plugin: pathlib.Path | None


def _cmake(source: pathlib.Path, folder: pathlib.Path, target: str, *settings: str) -> None:
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    configure = ["cmake", "-S", source, "-B", folder, *generator, f"-DSPIKINGRX_LIBTORCH={libtorch}", *settings]
    jobs = str(max(1, min(os.cpu_count() or 1, _memory_gb() // 2)))
    for command in (configure, ["cmake", "--build", folder, "--target", target, "--parallel", jobs]):
        print("  $", " ".join(map(str, command)), flush=True)
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"{done.stdout[-4000:]}\ngpu-check: the build of {target} failed")


def _memory_gb() -> int:
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)


def load(options) -> Files:
    major, minor = torch.__version__.split(".")[:2]
    folder = root / "build" / f"gpu-check-t{major}{minor}"
    core = pathlib.Path(options.core) if options.core else folder / "core/Release" / f"spikingrx.t{major}{minor}.so"
    plugin = pathlib.Path(options.plugin) if options.plugin else folder / "cuda/spikingrx_cuda.so"
    if not options.core:
        _cmake(root, folder / "core", "spikingrx_core")
    if not options.plugin and shutil.which("nvcc"):
        settings = []
        if options.device == "cuda":  # only what this machine runs: seconds instead of minutes
            capabilities = sorted({torch.cuda.get_device_capability(i) for i in range(torch.cuda.device_count())})
            settings = ["-DSPIKINGRX_CUDA_ARCHITECTURES=" + ";".join(f"{a}{b}" for a, b in capabilities)]
        _cmake(root / "native/cuda", folder / "cuda", "spikingrx_cuda", *settings)
    elif not options.plugin:
        if options.device == "cuda":
            sys.exit("gpu-check: nvcc was not found: install the CUDA toolkit, or give --plugin FILE")
        plugin = None
    torch.ops.load_library(str(core))
    # libtorch_cuda.so is open only where torch is a CUDA build; the plugin needs it
    if plugin and torch.version.cuda:
        torch.ops.load_library(str(plugin))
        missing = [name for name in ("lif_forward_out", "lif_backward_out", "surrogate_backward_out", "spike_norm_update")
                   if not torch._C._dispatch_has_kernel_for_dispatch_key(f"spikingrx::{name}", "CUDA")]
        if missing:
            sys.exit(f"gpu-check: the plugin registered no CUDA kernel for {', '.join(missing)}")
        print(f"  loaded {core} and {plugin}: CUDA kernels are registered")
    else:
        print(f"  loaded {core}; no plugin")
    return Files(core, plugin)
