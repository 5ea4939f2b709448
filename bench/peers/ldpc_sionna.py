"""Sionna's LDPC decoder as a process that bench/ldpc.ts asks: one JSON line in, one out.

    {"k", "n", "words", "iterations", "update", "compile"}   prepares: Gaussian LLRs of the zero word, decoder, one call to warm up
    "run"                                                  decodes once -> {"seconds", "errors": wrong words}

The decoder takes LLRs [words, n] and gives bits [words, k], as ours does.
"""

import json
import sys
import time

import torch
from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

RULES = {"sum-product": "boxplus-phi", "min-sum": "minsum"}


def prepare(k, n, words, iterations, update, snr, compile):
    decoder = LDPC5GDecoder(LDPC5GEncoder(k, n), num_iter=iterations, cn_update=RULES[update])
    variance = n / (2 * k * 10 ** (snr / 10))
    llr = 2 / variance * (variance**0.5 * torch.randn(words, n, generator=torch.Generator().manual_seed(1)) - 1)
    run = torch.compile(decoder) if compile else decoder
    with torch.no_grad():
        run(llr)
    return lambda: run(llr)


def main():
    torch.set_num_threads(int(sys.argv[1]))
    work = None
    for line in sys.stdin:
        request = json.loads(line)
        if request == "run":
            began = time.perf_counter()
            with torch.no_grad():
                bits = work()
            answer = {"seconds": time.perf_counter() - began, "errors": int((bits != 0).any(dim=1).sum())}
        else:
            work = prepare(**request)
            answer = {}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
