"""Recurrent cells: one family of equations per file, one layer around them."""

from recognizer.network.cells.layer import RecurrentLayer, build_direction
from recognizer.network.cells.settings import CELLS, CellSettings

__all__ = ["CELLS", "CellSettings", "RecurrentLayer", "build_direction"]
