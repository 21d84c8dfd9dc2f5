from ._figures import plot_comparison, write_png
from ._html import write_report
from ._sentences import against_control, answer, certainty, controls_of, decide, short

__all__ = [
    "against_control",
    "answer",
    "certainty",
    "controls_of",
    "decide",
    "plot_comparison",
    "short",
    "write_png",
    "write_report",
]
