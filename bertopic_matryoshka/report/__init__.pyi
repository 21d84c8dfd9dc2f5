from ._figures import plot_comparison, write_png
from ._html import write_report
from ._sentences import choice, notes
from ._tables import results, surviving_topics
from ._data import sweeps_of

__all__ = [
    "choice",
    "notes",
    "plot_comparison",
    "results",
    "surviving_topics",
    "sweeps_of",
    "write_png",
    "write_report",
]
