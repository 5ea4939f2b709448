"""A peer of `npm run bench`: a process that stays alive and does what a line of JSON on stdin asks, one at a time.

    {"do": "prepare", "case": {...}}   builds the case, runs it once, writes what came out   -> {"ok": true, "outputs": {...}, ...}
    {"do": "run", "times": 3}          runs it so many times                                 -> {"ok": true, "wall": s, "processor": s}
    {"do": "evaluate"}                 figures of a trained network                          -> {"ok": true, "figures": {...}}
    {"do": "release"}                  forgets the case                                      -> {"ok": true}

Every case is prepared in a fork of its own, so that its memory is counted from the same start and nothing of the case before
is left over. What a library prints goes to stderr. Arrays come and go as raw little-endian files, time first: [T, B, ...].
"""

import ctypes
import gc
import json
import os
import resource
import sys
import time
import traceback

import numpy as np


class Unsupported(Exception):
    """The peer has no such case; the sentence says why."""


class Work:
    """A case that is ready to run.

    run()        once; gives {name: array}
    check()      what is compared, where it is not what run() gives
    evaluate()   figures of what the last run trained, or None
    compiles     its first run compiles
    compiled_in  seconds of compiling that happened while it was built
    """

    def __init__(self, run, check=None, evaluate=None, compiles=False, compiled_in=None):
        self.run = run
        self.check = check
        self.evaluate = evaluate
        self.compiles = compiles
        self.compiled_in = compiled_in


class LazyBytes:
    """Spikes as bytes, converted when they are written, not in the time and memory of a run."""

    def __init__(self, spikes):
        self.spikes = spikes

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.spikes).astype(np.uint8)


def read(array):
    return np.fromfile(array["file"], dtype=array["dtype"]).reshape(array["shape"])


def write(folder, name, values):
    values = np.ascontiguousarray(np.asarray(values))
    path = os.path.join(folder, f"{name}.bin")
    values.tofile(path)
    return {"file": path, "dtype": values.dtype.name, "shape": list(values.shape)}


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def status_bytes(field):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no {field}")


def highest_memory(work):
    """Runs the work; what it gives, and the bytes it had resident at most beyond those before (None where not told)."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the highest resident size starts anew
        before = status_bytes("VmRSS")
    except (OSError, AttributeError):
        return work.run(), None
    outputs = work.run()
    return outputs, max(0, status_bytes("VmHWM") - before)


def small(inputs):
    """The first of every axis: loads code and starts threads without taking memory that counts."""
    return {name: np.ascontiguousarray(values[tuple(slice(0, 8) for _ in values.shape)]) for name, values in inputs.items()}


def prepare(build, case):
    inputs = {name: read(array) for name, array in case["inputs"].items()}
    if case["kind"] == "lif":
        warm = build({**case, "warm": True}, small(inputs))
        if not warm.compiles and warm.compiled_in is None:
            warm.run()
    work = build(case, inputs)
    answer = {"compileSeconds": work.compiled_in}
    if work.compiles:
        first = timed(work, 1)["wall"]
        answer["compileSeconds"] = max(0, first - timed(work, 1)["wall"])
    if case["kind"] == "lif":
        outputs, answer["memory"] = highest_memory(work)
    else:
        outputs = (work.check or work.run)()
    answer["outputs"] = {name: write(case["folder"], name, values) for name, values in (outputs or {}).items()}
    return work, answer


def timed(work, times):
    processor, wall = processor_seconds(), time.perf_counter()
    for _ in range(times):
        work.run()
    wall = time.perf_counter() - wall
    return {"wall": wall / times, "processor": (processor_seconds() - processor) / times}


def serve(build, versions):
    """Answers until stdin ends.

    build(case, inputs) gives the Work of a case, or raises Unsupported; versions(): {package: version}.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def answer(values):
        answers.write(json.dumps({"ok": True, **values}) + "\n")

    def fail(error):
        kind = "unsupported" if isinstance(error, Unsupported) else "failed"
        sentence = str(error).strip().split("\n")[0] or type(error).__name__
        answers.write(json.dumps({"ok": False, "kind": kind, "error": sentence}) + "\n")

    answer({"versions": versions()})
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "release":  # of a case that could not be prepared
            answer({})
            continue
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = case_process(build, request, answer, fail)
            finally:
                answers.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            fail(RuntimeError(f"the case ended with signal {os.WTERMSIG(status)}"))


def case_process(build, request, answer, fail):
    """Prepares one case and answers for it until it is released."""
    try:
        work, prepared = prepare(build, request["case"])
    except Exception as error:
        if not isinstance(error, Unsupported):
            traceback.print_exc()
        fail(error)
        return 0
    answer(prepared)
    # Not sys.stdin: lines that it had read ahead would be lost to the parent.
    for line in iter(lambda: read_line(0), ""):
        request = json.loads(line)
        try:
            if request["do"] == "release":
                answer({})
                return 0
            if request["do"] == "run":
                answer(timed(work, request["times"]))
            elif request["do"] == "evaluate":
                answer({"figures": work.evaluate() if work.evaluate else {}})
            else:
                raise ValueError(f"unknown request {request['do']}")
        except Exception as error:
            traceback.print_exc()
            fail(error)
    return 0


def read_line(descriptor):
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(descriptor, 1)
        if not byte:
            return ""
        line += byte
    return line.decode()
