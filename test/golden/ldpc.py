"""The channel code of TS 38.212 and 38.211 against Sionna: CRC, scrambling, LDPC encoder with rate matching, transport blocks, decoder.

    pip install sionna-no-rt==2.2.0 && python ldpc.py

Bits are packed eight to a byte, the first the highest; LLR = log P(1) / P(0). The decoder runs in double precision, so that its clipping of
phi is far from what is compared.
"""

import numpy as np
import torch
from sionna.phy.fec.crc import CRCEncoder
from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
from sionna.phy.fec.ldpc.decoding import LDPCBPDecoder
from sionna.phy.fec.scrambling import TB5GScrambler
from sionna.phy.nr import TBEncoder
from sionna.phy.nr.utils import calculate_tb_size, generate_prng_seq

from vectors import Family

GENERATOR = torch.Generator().manual_seed(38212)
VERSIONS = [0, 1, 2, 3]


def random_bits(*shape):
    return torch.randint(0, 2, shape, generator=GENERATOR).float()


def packed(bits):
    return torch.from_numpy(np.packbits(bits.numpy().astype(np.uint8), axis=-1))


def encoders():
    """(graph, k, n, bits a symbol): every set of lifting sizes for both graphs, rates from 1/5 to 0.92, filler and none, the largest."""
    yield from ((2, k, 2 * k, 1) for k in (12, 18, 30, 42, 54, 64, 78, 90))
    yield from ((1, k, 3 * k // 2, 1) for k in (352, 250, 440, 300, 396, 470, 572, 650))
    yield from ((2, 100, 500, 4), (2, 64, 160, 2), (2, 250, 480, 6), (2, 600, 1000, 8), (2, 1024, 2048, 4), (2, 3840, 9600, 1))
    yield from ((1, 500, 1500, 2), (1, 1000, 1088, 4), (1, 8448, 12672, 6))


def add_encoders(family):
    for graph, k, n, q in encoders():
        encoder = LDPC5GEncoder(k, n, num_bits_per_symbol=q, bg=f"bg{graph}")
        bits = random_bits(1, k)
        family.add(f"encode k={k} n={n} graph {graph}", {"graph": graph, "lifting": encoder.z, "k": k, "n": n, "bitsPerSymbol": q},
                   bits=packed(bits), words=packed(encoder(bits, rv=VERSIONS)[0]))


def add_crc(family):
    for name in ("CRC24A", "CRC24B", "CRC24C", "CRC16", "CRC11", "CRC6"):
        for k in (1, 40, 333):
            bits = random_bits(1, k)
            family.add(f"crc {name.lower()} k={k}", {"polynomial": name.lower(), "k": k}, bits=packed(bits), words=packed(CRCEncoder(name)(bits)))


def add_scrambling(family):
    for initial in (0, 1, 12345, 2**31 - 1):
        family.add(f"scrambling initial={initial}", {"initial": initial, "length": 200},
                   sequence=packed(torch.from_numpy(np.array(generate_prng_seq(200, initial), dtype=np.uint8))))
    for channel, rnti, identity, index in (("PUSCH", 1, 1, 0), ("PUSCH", 65535, 1023, 0), ("PDSCH", 4660, 500, 0), ("PDSCH", 4660, 500, 1)):
        zeros = torch.zeros(1, 120)
        scrambler = TB5GScrambler(n_rnti=rnti, n_id=identity, channel_type=channel, codeword_index=index)
        family.add(f"scrambling {channel} rnti={rnti} id={identity} word {index}", {"rnti": rnti, "identity": identity, "codeWord": index, "length": 120},
                   sequence=packed(scrambler(zeros)[0]))


def add_transport_blocks(family):
    """(coded bits, target rate, bits a symbol, layers): one code block with either CRC, several, and several of two lengths."""
    for coded, rate, q, layers in ((480, 0.5, 4, 1), (9000, 0.6, 6, 1), (20000, 0.2, 2, 1), (30008, 0.75, 4, 2), (26004, 0.75, 6, 1)):
        size = int(calculate_tb_size(modulation_order=q, target_coderate=rate, num_coded_bits=coded, num_layers=layers)[0])
        encoder = TBEncoder(target_tb_size=size, num_coded_bits=coded, target_coderate=rate, num_bits_per_symbol=q, num_layers=layers, n_rnti=77, n_id=42)
        bits = random_bits(1, size)
        family.add(f"transport block {size} in {coded}", {
            "size": size, "codedBits": coded, "rate": rate, "bitsPerSymbol": q, "layers": layers, "rnti": 77, "identity": 42,
            "codeBlocks": encoder.num_cbs, "codeBlockBits": int(encoder._cb_size), "lengths": [int(length) for length in encoder.cw_lengths if length],
        }, bits=packed(bits), words=packed(encoder(bits)[0]))


def add_recovery(family):
    """What Sionna's decoder puts together from several redundancy versions before it begins to decode."""
    seen = {}

    def capture(self, llr, /, **_):
        seen["llr"] = llr
        return llr

    original, LDPCBPDecoder.call = LDPCBPDecoder.call, capture
    for graph, k, n, q, versions in ((2, 100, 240, 4, [0, 2]), (1, 250, 500, 2, [0, 1, 2, 3])):
        encoder = LDPC5GEncoder(k, n, num_bits_per_symbol=q, bg=f"bg{graph}")
        decoder = LDPC5GDecoder(encoder, harq_mode=True)
        llr = torch.randn(1, len(versions), n, generator=GENERATOR)
        decoder(llr, rv=versions)
        family.add(f"recover k={k} n={n}", {"graph": graph, "lifting": encoder.z, "k": k, "n": n, "bitsPerSymbol": q, "versions": versions},
                   llr=llr[0], words=seen["llr"])
    LDPCBPDecoder.call = original


def add_decoders(family):
    """(graph, k, n, Eb/N0 in dB, update, schedule, iterations) of 3 words in Gaussian noise; the LLRs of the information bits after decoding."""
    rules = (("boxplus-phi", "flooding", 1), ("boxplus-phi", "flooding", 5), ("boxplus-phi", "layered", 2),
             ("minsum", "flooding", 5), ("offset-minsum", "flooding", 5), ("minsum", "layered", 3))
    for graph, k, n, snr in ((2, 64, 128, 1.0), (2, 250, 500, 1.0), (1, 352, 528, 2.0), (1, 500, 700, 2.0)):
        encoder = LDPC5GEncoder(k, n, bg=f"bg{graph}")
        words = encoder(random_bits(3, k)) * 2 - 1
        deviation = (2 * k / n * 10 ** (snr / 10)) ** -0.5
        llr = 2 / deviation**2 * (words + deviation * torch.randn(words.shape, generator=GENERATOR))
        family.share(**{f"llr {k} {n}": llr})
        for update, schedule, iterations in rules:
            decoder = LDPC5GDecoder(encoder, cn_update=update, cn_schedule=schedule, num_iter=iterations, hard_out=False, precision="double")
            family.add(f"decode k={k} n={n} {update} {schedule} {iterations}", {
                "graph": graph, "lifting": encoder.z, "k": k, "n": n, "llr": f"llr {k} {n}", "update": update, "schedule": schedule, "iterations": iterations,
            }, posterior=decoder(llr.double()).float())


def main():
    family = Family("ldpc", "Sionna's CRCEncoder, TB5GScrambler, LDPC5GEncoder, LDPC5GDecoder, TBEncoder", ["sionna-no-rt", "torch", "numpy"])
    for part in (add_encoders, add_crc, add_scrambling, add_transport_blocks, add_recovery, add_decoders):
        part(family)
    family.save()


if __name__ == "__main__":
    main()
