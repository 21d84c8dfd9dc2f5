"""Topic models of a comparison -> the colour, marker and dash of each in every figure and table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertopic_matryoshka.report._data import Sweep


class Style(NamedTuple):
    """How a topic model is drawn; the sign is the marker's symbol as a character."""

    color: str
    symbol: str
    sign: str
    dash: str = "solid"

    @property
    def muted(self) -> bool:
        """Whether it is that of a control."""
        return self.color == GRAY


# Okabe and Ito's palette: told apart by colour-blind readers. Black and yellow are left out, which
# are not legible on both white and black.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
SYMBOLS = {
    "circle": "●",
    "diamond": "◆",
    "square": "■",
    "triangle-up": "▲",
    "cross": "✚",
    "star": "★",
    "triangle-down": "▼",
}
GRAY = "#868e98"
CONTROL_SYMBOLS = {"circle-open": "○", "square-open": "□", "diamond-open": "◇"}
CONTROL_DASHES = ("dash", "dot", "dashdot")

SHARED = "#8a6d3b"
"""Colour of an embedding model that several topic models share."""


def styles_of(sweeps: Iterable[Sweep]) -> dict[str, Style]:
    """Give each topic model its style, by title; controls are gray and dashed."""
    styles: dict[str, Style] = {}
    n_controls = 0
    for sweep in sweeps:
        if sweep.is_control:
            dash = CONTROL_DASHES[n_controls % len(CONTROL_DASHES)]
            styles[sweep.title] = Style(GRAY, *_nth(CONTROL_SYMBOLS, n_controls), dash)
            n_controls += 1
        else:
            n = len(styles) - n_controls
            styles[sweep.title] = Style(PALETTE[n % len(PALETTE)], *_nth(SYMBOLS, n))
    return styles


def model_styles(sweeps: list[Sweep]) -> dict[str, tuple[str, Style]]:
    """Give each embedding model a title and a style: its topic model's where it has only one."""
    of_sweeps = styles_of(sweeps)
    styles: dict[str, tuple[str, Style]] = {}
    for model in dict.fromkeys(sweep.embedding_model for sweep in sweeps):
        users = [sweep for sweep in sweeps if sweep.embedding_model == model]
        titles = [sweep.title for sweep in users if not sweep.is_permuted]
        if len(titles) == 1:
            styles[model] = titles[0], of_sweeps[titles[0]]
        else:
            styles[model] = users[0].embeddings, Style(SHARED, *_nth(SYMBOLS, 5 + len(styles)))
    return styles


def translucent(color: str, opacity: float) -> str:
    """Write a color such as "#0072b2" with an opacity."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _nth(symbols: dict[str, str], n: int) -> tuple[str, str]:
    return list(symbols.items())[n % len(symbols)]
