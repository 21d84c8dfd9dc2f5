from ._criteria import CRITERIA, Criterion, laplacian, variance
from ._inspection import DimensionInspection, inspect_dimensions
from ._selector import DimensionSelector

__all__ = [
    "CRITERIA",
    "Criterion",
    "DimensionInspection",
    "DimensionSelector",
    "inspect_dimensions",
    "laplacian",
    "variance",
]
