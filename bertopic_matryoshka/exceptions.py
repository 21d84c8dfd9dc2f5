"""The package's warnings and errors.

No warning is a UserWarning: importing BERTopic silences those for the whole process.
"""

from __future__ import annotations


class TruncationWarning(RuntimeWarning):
    """A width that the model is not known to be good at, or rows that have no direction."""


class LossySaveWarning(RuntimeWarning):
    """Part of a topic model has no safe format and was left out."""


class DamagedFileWarning(RuntimeWarning):
    """A stored file is truncated, corrupt or not what its name says."""


class SavedModelError(ValueError):
    """A saved topic model is damaged, incomplete, or holds what could run code."""
