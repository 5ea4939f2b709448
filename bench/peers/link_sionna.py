"""Slots through NVIDIA Sionna's OFDM channel: what bench/link.ts compares its simulator with.

The same link: 14 x 48 elements at 30 kHz, pilots of type 1 in two symbols, QPSK, TDL-A at 100 ns and 3.5 GHz, speed 0..30 m/s and
Es/N0 -4..16 dB drawn for each slot; bits, grid, channel response and noise in 32-bit floats. In inference mode, eager or compiled.

    python link_sionna.py THREADS eager|compiled

Reads a number of slots a line, simulates them, and answers the seconds it took.
"""

import math
import sys
import time

import torch
from sionna.phy import config
from sionna.phy.channel import ApplyOFDMChannel, GenerateOFDMChannel
from sionna.phy.channel.tr38901 import TDL
from sionna.phy.mapping import BinarySource, Mapper
from sionna.phy.ofdm import PilotPattern, ResourceGrid, ResourceGridMapper

SYMBOLS, SUBCARRIERS, PILOT_SYMBOLS = 14, 48, (2, 11)


def resource_grid():
    mask = torch.zeros(1, 1, SYMBOLS, SUBCARRIERS, dtype=torch.int32)
    mask[..., list(PILOT_SYMBOLS), :] = 1
    pilots = torch.zeros(len(PILOT_SYMBOLS), SUBCARRIERS, dtype=torch.complex64)
    pilots[:, ::2] = math.sqrt(2) * torch.exp(0.5j * math.pi * torch.randint(0, 4, (2, SUBCARRIERS // 2)))
    pattern = PilotPattern(mask, pilots.reshape(1, 1, -1))
    return ResourceGrid(num_ofdm_symbols=SYMBOLS, fft_size=SUBCARRIERS, subcarrier_spacing=30e3, pilot_pattern=pattern,
                        cyclic_prefix_length=3)


class Link:
    def __init__(self):
        self.grid = resource_grid()
        self.source, self.mapper, self.place = BinarySource(), Mapper("qam", 2), ResourceGridMapper(self.grid)
        line = TDL("A", 100e-9, 3.5e9, min_speed=0.0, max_speed=30.0)
        self.channel, self.apply = GenerateOFDMChannel(line, self.grid), ApplyOFDMChannel()

    def __call__(self, slots):
        bits = self.source([slots, 1, 1, self.grid.num_data_symbols * 2])
        sent = self.place(self.mapper(bits))
        response = self.channel(slots)
        noise_power = 10 ** (-(torch.rand(slots, 1, 1) * 20 - 4) / 10)
        return self.apply(sent, response, noise_power), response, bits


def main():
    torch.set_num_threads(int(sys.argv[1]))
    config.device, config.seed = "cpu", 1
    link = Link()
    call = torch.compile(link) if sys.argv[2] == "compiled" else link
    with torch.inference_mode():
        for line in sys.stdin:
            begin = time.perf_counter()
            received, _, _ = call(int(line))
            seconds = time.perf_counter() - begin
            assert received.shape[-2:] == (SYMBOLS, SUBCARRIERS)
            print(seconds, flush=True)


if __name__ == "__main__":
    main()
