"""The package's warnings and errors.

No warning is a UserWarning: importing BERTopic silences those for the whole process.
"""

from __future__ import annotations


class TruncationWarning(RuntimeWarning):
    """A width that the model is not known to be trained at, or zero rows."""


class LossySaveWarning(RuntimeWarning):
    """Part of a topic model has no safe format and was left out."""


class DamagedFileWarning(RuntimeWarning):
    """A stored file is truncated, corrupt, or does not match its key."""


class SavedModelError(ValueError):
    """A saved topic model is damaged, incomplete, or holds content that could run code."""
