"""What a SEW block can't do without: its two convolutions alone, by torch."""

import networks
from torch_peer import start

if __name__ == "__main__":
    start({"sew": lambda case, inputs: networks.convolutions_case(inputs)})
