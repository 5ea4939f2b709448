"""The link simulator against NVIDIA Sionna 2.2: delay lines, estimates, equalised symbols, LLRs, OFDM.

    pip install sionna-no-rt==2.2.0, then python link.py

Complex numbers are stored as a last axis of 2. Sionna's grids are [B, rx, antennas, ...]: here [B, R, S, K]. What Sionna draws at
random is kept, in turns, so that the same sinusoids can be added up.
"""

import math
from pathlib import Path

import numpy as np
import torch
from sionna.phy import config
from sionna.phy.channel import cir_to_ofdm_channel, cir_to_time_channel, subcarrier_frequencies
from sionna.phy.channel.tr38901 import tdl
from sionna.phy.mapping import Constellation, Demapper, Mapper
from sionna.phy.mimo import StreamManagement, lmmse_equalizer, zf_equalizer
from sionna.phy.nr.utils import generate_prng_seq
from sionna.phy.ofdm import (LMMSEChannelEstimator, LSChannelEstimator, OFDMDemodulator, OFDMModulator, PilotPattern,
                             ResourceGrid, tdl_freq_cov_mat, tdl_time_cov_mat)

from vectors import Family

config.precision = "double"
config.device = "cpu"
config.seed = 11

SYMBOLS, SUBCARRIERS, SPACING = 14, 24, 30e3
SYMBOL_TIME = (1 + 144 / 2048) / SPACING
CARRIER = 3.5e9
PILOT_SYMBOLS = (2, 11)
MODULATIONS = {"qpsk": 2, "16qam": 4, "64qam": 6}


def pairs(x):
    return torch.view_as_real(torch.as_tensor(x).resolve_conj().contiguous()).float()


class Recorder:
    """Stands in for sionna's rand, and keeps what it gave."""

    def __init__(self):
        self.draws, self.rand = [], tdl.rand

    def __enter__(self):
        def record(*arguments, **named):
            self.draws.append(self.rand(*arguments, **named))
            return self.draws[-1]

        tdl.rand = record
        return self

    def __exit__(self, *_):
        tdl.rand = self.rand


def reference_signal(symbol):
    """TS 38.211, 7.4.1.1.1 with slot 0, identity 5, scrambling 1; every other subcarrier, boosted by 3 dB."""
    initial = (((symbol + 1) * (2 * 5 + 1)) * 2**17 + 2 * 5 + 1) % 2**31
    c = 1 - 2 * generate_prng_seq(SUBCARRIERS, initial).astype(float)
    return (c[::2] + 1j * c[1::2]) / math.sqrt(2)


def pilots():
    """[S, K], zero off the pilots."""
    grid = torch.zeros(SYMBOLS, SUBCARRIERS, dtype=torch.complex128)
    for symbol in PILOT_SYMBOLS:
        grid[symbol, ::2] = torch.as_tensor(reference_signal(symbol)) * math.sqrt(2)
    return grid


def resource_grid(known):
    mask = torch.zeros(1, 1, SYMBOLS, SUBCARRIERS, dtype=torch.int32)
    mask[..., list(PILOT_SYMBOLS), :] = 1
    pattern = PilotPattern(mask, known[list(PILOT_SYMBOLS)].reshape(1, 1, -1))
    return ResourceGrid(num_ofdm_symbols=SYMBOLS, fft_size=SUBCARRIERS, subcarrier_spacing=SPACING, pilot_pattern=pattern)


def delay_lines(family):
    frequencies = subcarrier_frequencies(SUBCARRIERS, SPACING)
    responses = {}
    for model, antennas in zip("ABCDE", (2, 1, 1, 2, 1), strict=True):
        spread, speed = 120e-9, 40.0
        channel = tdl.TDL(model, spread, CARRIER, num_sinusoids=8, min_speed=speed, num_rx_ant=antennas)
        with Recorder() as recorder:
            gains, delays = channel(2, SYMBOLS, 1 / SYMBOL_TIME)
        theta, phi = recorder.draws[1], recorder.draws[2]
        sinusoids = theta.shape[-1]
        angles = (theta * 2 * math.pi / sinusoids - math.pi / sinusoids) + 2 * math.pi / sinusoids * torch.arange(1, sinusoids + 1)
        specular = recorder.draws[3].reshape(2) if channel.los else torch.zeros(2)
        response = cir_to_ofdm_channel(frequencies, gains, delays)
        responses[model] = response[:, 0, :, 0, 0]
        bandwidth, first, last = 20e6, -4, 12
        family.add(
            f"TDL-{model}",
            {"channel": f"tdl-{model.lower()}", "delaySpread": spread, "speed": speed, "carrier": CARRIER,
             "bandwidth": bandwidth, "first": first, "last": last},
            angles=(angles / (2 * math.pi))[:, 0, 0, 0, 0, :, 0].transpose(-1, -2).float(),
            phases=(phi - 0.5)[:, 0, :, 0, 0, :, 0].transpose(-1, -2).float() % 1,
            specularPhases=(specular - 0.5).float() % 1,
            gains=pairs(gains[:, 0, :, 0, 0].transpose(-1, -2)),
            delays=delays[0, 0, 0].float() * 1e9,
            response=pairs(responses[model]),
            timeResponse=pairs(cir_to_time_channel(bandwidth, gains, delays, first, last)[:1, 0, :, 0, 0, :3]),
        )
    return responses


def receivers(family, responses):
    known = pilots()
    grid = resource_grid(known)
    generator = torch.Generator().manual_seed(3)
    noise_power = 0.05
    h = responses["A"]
    bits = torch.randint(0, 2, (2, 1, SYMBOLS * SUBCARRIERS * 4), generator=generator).double()
    sent = Mapper("qam", 4)(bits).reshape(2, SYMBOLS, SUBCARRIERS)
    sent[:, list(PILOT_SYMBOLS)] = known[list(PILOT_SYMBOLS)]
    noise = torch.randn(2, 2, SYMBOLS, SUBCARRIERS, 2, generator=generator, dtype=torch.float64)
    y = h * sent[:, None] + torch.view_as_complex(noise) * math.sqrt(noise_power / 2)
    received = y[:, None]
    times = torch.arange(SYMBOLS) * SYMBOL_TIME

    frequency = tdl_freq_cov_mat("A", SPACING, SUBCARRIERS, 120e-9)
    time = tdl_time_cov_mat("A", 40.0, CARRIER, SYMBOL_TIME, SYMBOLS)
    estimators = {
        "nearest": LSChannelEstimator(grid, "nn"),
        "linear": LSChannelEstimator(grid, "lin"),
        "lmmse": LMMSEChannelEstimator(grid, time, frequency, order="f-t"),
    }
    results = {}
    for name, estimator in estimators.items():
        estimate, error = estimator(received, torch.tensor(noise_power, dtype=torch.float64))
        results[name] = (estimate[:, 0, :, 0, 0], error[:, 0, :, 0, 0])
    # Sionna's joint filter would be the one of a grid with all symbols of a Kronecker covariance: numpy, written out here.
    joint = np.kron(time.numpy(), frequency.numpy())
    at = torch.nonzero(known.abs().flatten() > 0).flatten().numpy()
    loaded = joint[np.ix_(at, at)] + np.diag(noise_power / np.abs(known.flatten().numpy()[at]) ** 2)
    weights = joint[:, at] @ np.linalg.inv(loaded)
    ls = (y.flatten(-2) / torch.where(known == 0, torch.ones_like(known), known).flatten())[..., at].numpy()
    results["joint"] = (torch.as_tensor(ls @ weights.T).reshape(y.shape),
                        torch.as_tensor((1 - (weights * joint[:, at].conj()).sum(-1)).real).reshape(1, 1, SYMBOLS, SUBCARRIERS))

    options = {"noisePower": noise_power, "delaySpread": 120e-9, "speed": 40.0, "carrier": CARRIER}
    tensors = {"received": pairs(y), "pilots": pairs(known), "times": times.float() * 1e6}
    for name, (estimate, error) in results.items():
        tensors[f"{name}Estimate"] = pairs(estimate)
        tensors[f"{name}Error"] = error[:1, :1].float()
    estimate, error = results["linear"]
    covariance = torch.diag_embed(noise_power + error.movedim(1, -1)).to(torch.complex128)
    for name, equalizer in (("lmmse", lmmse_equalizer), ("zf", zf_equalizer)):
        symbols, effective = equalizer(y.movedim(1, -1), estimate.movedim(1, -1).unsqueeze(-1), covariance)
        tensors[f"{name}Symbols"] = pairs(symbols[..., 0])
        tensors[f"{name}Noise"] = effective[..., 0].float()
    family.add("receivers", options, **tensors)


def demapping(family):
    generator = torch.Generator().manual_seed(4)
    symbols = torch.view_as_complex(0.8 * torch.randn(1, 40, 2, generator=generator, dtype=torch.float64))
    noise = 0.02 + 0.5 * torch.rand(1, 40, generator=generator, dtype=torch.float64)
    for modulation, bits in MODULATIONS.items():
        tensors = {}
        for method in ("app", "maxlog"):
            llrs = Demapper(method, "qam", bits)(symbols, noise)
            tensors[method] = llrs.reshape(1, 40, bits).transpose(1, 2).float()
        family.add(modulation, {"modulation": modulation}, symbols=pairs(symbols), noise=noise.float(),
                   points=pairs(Constellation("qam", bits)()), **tensors)


def waveform(family):
    generator = torch.Generator().manual_seed(5)
    grid = torch.view_as_complex(torch.randn(1, 2, 32, 2, generator=generator, dtype=torch.float64))
    family.add("OFDM", {"size": 32, "prefix": 9}, grid=pairs(grid), samples=pairs(OFDMModulator(9)(grid)))


def main():
    family = Family("link", "NVIDIA Sionna; the joint LMMSE estimate in NumPy", ["sionna-no-rt", "torch", "numpy"])
    with torch.no_grad():
        responses = delay_lines(family)
        receivers(family, responses)
        demapping(family)
        waveform(family)
    family.save()


if __name__ == "__main__":
    main()
