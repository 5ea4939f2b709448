"""Checks by other programs: compute-sanitizer over the quick comparison, and the Node tests with this libtorch."""
import os
import shutil
import subprocess
import sys

from . import report
from .build import libtorch, root

TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")


def _run(command, environment=None, timeout=1800):
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=root,
                          env={**os.environ, **(environment or {})}, timeout=timeout)
    return [] if done.returncode == 0 else [f"exit status {done.returncode}", *done.stdout.strip().split("\n")[-6:]]


def sanitizer(options, files):
    tool = shutil.which("compute-sanitizer") or shutil.which("/usr/local/cuda/bin/compute-sanitizer")
    if options.quick or options.device == "cpu" or tool is None:
        report.skip("compute-sanitizer", "--quick" if options.quick else
                    "it needs a GPU" if options.device == "cpu" else "it is not installed")
        return
    again = [sys.executable, root / "scripts/gpu-check", "--core", files.core, "--plugin", files.plugin, "--quick",
             "--only", "compare"]
    # The caching allocator would hide what lies beyond a tensor in the same block.
    environment = {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
    for name in TOOLS:
        # initcheck would tell of PyTorch's own kernels too.
        only = ["--kernel-name", "regex:spikingrx"] if name in ("initcheck", "racecheck") else []
        command = [tool, "--tool", name, "--error-exitcode", "99", *only, *again]
        report.check(f"compute-sanitizer --tool {name}", lambda: _run(command, environment))


def node_tests(options, files):
    node = shutil.which("node")
    missing = ("no node" if node is None else
               "no node_modules (npm install)" if not (root / "node_modules/vitest").exists() else
               "--quick" if options.quick else None)
    if missing:
        report.skip("the Node tests", missing)
        return
    environment = {"SPIKINGRX_LIBTORCH": str(libtorch)}
    report.check("npm run build with this libtorch", lambda: _run(["npm", "run", "build"], environment))
    if files.plugin:
        release = root / "build/Release/spikingrx_cuda.so"
        shutil.copyfile(files.plugin, release)
    report.check("npm run test:ts with this libtorch", lambda: _run(["npm", "run", "test:ts"], environment))
