"""Writes native/link/ldpc/kernels/base_graph_tables.h: the two LDPC base graphs of 5G NR, 3GPP TS 38.212, tables 5.3.2-2 and 5.3.2-3.

    pip install sionna-no-rt==2.2.0 && python scripts/ldpc-base-graphs.py

The tables are read from the CSV files of Sionna (Apache-2.0), which hold them as the standard prints them: a line is an edge, with its row
(where another begins), its column and the shift for each of the eight sets of lifting sizes.
"""

import csv
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

TARGET = Path(__file__).parent.parent / "native/link/ldpc/kernels/base_graph_tables.h"
GRAPHS = ((1, "kGraph1", "5.3.2-2"), (2, "kGraph2", "5.3.2-3"))


def edges(graph):
    """(row, column, eight shifts) of every edge, row by row."""
    folder = Path(find_spec("sionna").submodule_search_locations[0])
    row = 0
    with open(folder / f"phy/fec/ldpc/codes/5G_bg{graph}.csv", newline="", encoding="utf-8") as lines:
        for cells in list(csv.reader(lines, delimiter=";"))[2:]:
            row = int(cells[0]) if cells[0] else row
            yield row, int(cells[1]), [int(cell) for cell in cells[2:10]]


def main():
    text = [
        "// The LDPC base graphs of 5G NR, 3GPP TS 38.212 V17: tables 5.3.2-2 (graph 1) and 5.3.2-3 (graph 2).",
        f"// Written by scripts/ldpc-base-graphs.py from the CSV files of sionna-no-rt {version('sionna-no-rt')} (Apache-2.0). Do not edit.",
        "// clang-format off",
        "#pragma once",
        '#include "link/ldpc/kernels/base_graph.h"',
        "",
        "namespace spikingrx::ldpc {",
    ]
    for graph, name, table in GRAPHS:
        listed = list(edges(graph))
        rows = listed[-1][0] + 1
        starts = [next(i for i, edge in enumerate(listed) if edge[0] == row) for row in range(rows)] + [len(listed)]
        text += ["", f"// Table {table}: where the edges of each row begin.", f"inline constexpr uint16_t {name}Rows[] = {{"]
        text += ["    " + ", ".join(map(str, starts[i:i + 24])) + "," for i in range(0, len(starts), 24)]
        text += ["};", "", "// Column, and shift for the lifting sizes of set 0 to 7.", f"inline constexpr BaseEdge {name}Edges[] = {{"]
        cells = [f"{{{column}, {{{', '.join(map(str, shifts))}}}}}," for _, column, shifts in listed]
        line = "   "
        for cell in cells:
            if len(line) + 1 + len(cell) > 150:
                text.append(line)
                line = "   "
            line += " " + cell
        text += [line, "};"]
    text += ["", "}  // namespace spikingrx::ldpc", ""]
    TARGET.write_text("\n".join(text), encoding="utf-8")
    print(f"{TARGET.name}: {sum(1 for line in text)} lines")


if __name__ == "__main__":
    main()
