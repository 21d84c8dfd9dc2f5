"""A comparison -> one HTML file that opens offline."""

from __future__ import annotations

from pathlib import Path

from bertopic_matryoshka._constraints import PATH, check_arguments, instance
from bertopic_matryoshka.comparison import DimensionComparison
from bertopic_matryoshka.report._contents import contents


def write_report(comparison: DimensionComparison, path: str | Path) -> Path:
    """Write a comparison as one self-contained HTML file, and return its path.

    It shows each width's coherence, neighbours kept and cost side by side, and the counterparts of
    the topics at other widths; its first line says which width to keep. Maps of the documents take
    some seconds.

    Parameters
    ----------
    comparison : DimensionComparison
    path : str or Path
        Overwritten if it exists.

    Returns
    -------
    path : Path
    """
    check_arguments(locals(), comparison=instance(DimensionComparison), path=PATH)
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("report.html.jinja")
    page = template.render(contents(comparison), plotly=get_plotlyjs())
    path = Path(path)
    path.write_text(page, "utf-8")
    return path
