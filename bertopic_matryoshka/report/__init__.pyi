from ._answers import Answer, answers
from ._data import sweeps_of
from ._figures import plot_comparison, write_png
from ._heat_map import plot_embedding_models
from ._html import write_report
from ._layout import layout_documents
from ._number_figure import plot_topic_numbers
from ._sentences import compared, notes
from ._tables import Survival, Table, results, surviving_topics
from ._topic_map import plot_topic_map, write_topic_map
from ._topic_page import write_topic_page
from ._visualize import visualize_documents, visualize_topics

__all__ = [
    "Answer",
    "Survival",
    "Table",
    "answers",
    "compared",
    "layout_documents",
    "notes",
    "plot_comparison",
    "plot_embedding_models",
    "plot_topic_map",
    "plot_topic_numbers",
    "results",
    "surviving_topics",
    "sweeps_of",
    "visualize_documents",
    "visualize_topics",
    "write_png",
    "write_report",
    "write_topic_map",
    "write_topic_page",
]
