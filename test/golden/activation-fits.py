"""Least-squares fits of activation functions by SciPy, for lib/study/fit.ts: global search over location and width
(differential evolution, several seeds), the amplitude by linear least squares, polished by Nelder-Mead.

Curves: the published protocol and the closed form of the LIF neuron, both computed here; noisy samples of each activation; and shapes
that none of them fits: a bump, a straight line with noise, few points.

    python activation-fits.py   writes activation-fits.json  {versions, cases: [{name, kind, currents, rates, r2}]}
"""

import json
import math
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import differential_evolution, minimize

SHAPES = {
    "relu": lambda z: np.maximum(0, z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-np.clip(z, -700, 700))),
    "softplus": lambda z: np.logaddexp(0, z),
    "tanh": np.tanh,
    "hardSigmoid": lambda z: np.clip(0.5 + z, 0, 1),
}
LOCATION, WIDTH = (-6, 7), (math.log(1e-4), math.log(20))


def closed_form(current, tau=10.0, g=10.0, gap=20.0, refractory=2.0):
    steady = current / g
    return np.array([1000 / (refractory + tau * math.log(s / (s - gap))) if s > gap else 0.0 for s in steady])


def euler(current, dt=0.1, duration=1000.0, settle=100.0):
    rates = []
    for amplitude in current:
        voltage, hold, count = -75.0, 0, 0
        for k in range(round(duration / dt)):
            if hold > 0:
                voltage, hold = -75.0, hold - 1
                continue
            voltage += dt * (amplitude - 10.0 * (voltage + 75.0)) / 100.0
            if voltage >= -55.0:
                voltage, hold = -75.0, 20
                count += k + 1 > round(settle / dt)
        rates.append(1000 * count / (duration - settle))
    return np.array(rates)


def curves():
    short = np.arange(0, 500, 5.0)
    long = np.arange(0, 4001, 40.0)
    yield "published", short, euler(short)
    yield "closed form to 495 pA", short, closed_form(short)
    yield "closed form to 20 rheobases", long, closed_form(long)
    yield "no refractory period", long, closed_form(long, refractory=1e-9)
    random = np.random.default_rng(7)
    for kind, shape in SHAPES.items():
        for place in (0.3, 0.9):
            x = np.sort(random.uniform(0, 1000, 40))
            y = 120 * shape((x - 1000 * place) / 150) + random.normal(0, 4, 40)
            yield f"{kind} at {place}", x, y
    x = np.linspace(100, 900, 30)
    yield "bump", x, 80 * np.exp(-(((x - 450) / 120) ** 2))
    yield "falling line", x, 90 - 0.08 * x + random.normal(0, 3, 30)
    yield "five points", np.array([0.0, 1, 2, 4, 8]), np.array([0.0, 0, 3, 4, 4.5])
    yield "one step", x, np.where(x > 500, 60.0, 0.0) + random.normal(0, 1e-3, 30)


def best_r2(kind, currents, rates):
    x = (currents - currents.min()) / (currents.max() - currents.min())
    y = rates / np.abs(rates).max()
    total = ((y - y.mean()) ** 2).sum()

    def error(point):
        location, width = point[0], math.exp(point[1])
        phi = SHAPES[kind]((x - location) / width)
        squares = phi @ phi
        amplitude = (phi @ y) / squares if squares > 0 else 0.0
        return ((y - amplitude * phi) ** 2).sum()

    bounds = [LOCATION, WIDTH]
    if kind == "relu":
        bounds = [(-60, 1), (0, 1e-9)]  # its width is part of its slope
    best = math.inf
    for seed in range(4):
        found = differential_evolution(error, bounds, seed=seed, tol=1e-14, atol=1e-14, maxiter=2000, popsize=40)
        polished = minimize(error, found.x, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-14, "fatol": 1e-18, "maxiter": 4000})
        best = min(best, found.fun, polished.fun)
    return 1 - best / total


def main():
    cases = []
    for name, currents, rates in curves():
        currents, rates = currents.round(6), rates.round(6)
        r2 = {kind: best_r2(kind, currents, rates) for kind in SHAPES}
        cases.append({"name": name, "currents": currents.tolist(), "rates": rates.tolist(), "r2": r2})
        print(name, {kind: round(value, 6) for kind, value in r2.items()}, flush=True)
    versions = {"scipy": scipy.__version__, "numpy": np.__version__}
    Path(__file__).with_suffix(".json").write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
