from ._criteria import CRITERIA, Criterion, laplacian, variance
from ._inspection import DimensionInspection, inspect_dimensions
from ._model_inspection import ModelInspection, inspect_models
from ._selector import DimensionSelector, check_selector

__all__ = [
    "CRITERIA",
    "Criterion",
    "DimensionInspection",
    "DimensionSelector",
    "ModelInspection",
    "check_selector",
    "inspect_dimensions",
    "inspect_models",
    "laplacian",
    "variance",
]
