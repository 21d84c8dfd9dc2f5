from ._losses import SimilarityDistillationLoss
from ._train import MatryoshkaTraining, train_matryoshka

__all__ = ["MatryoshkaTraining", "SimilarityDistillationLoss", "train_matryoshka"]
