"""Lines of a comparison -> the colour, sign and dash that each has wherever it appears."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bertopic_matryoshka.report._sentences import controls_of

if TYPE_CHECKING:
    from bertopic_matryoshka.comparison import DimensionComparison


class Style(NamedTuple):
    """How a line is drawn; the sign is the marker's symbol as a character."""

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

STYLES = {
    "variance": Style("#0072b2", "circle", "●"),
    "pca": Style("#009e73", "square", "■"),
    "umap": Style("#d55e00", "diamond", "◆"),
    "none": Style("#cc79a7", "triangle-up", "▲"),
}
"""How a reduction is drawn where lines differ by reduction alone."""

ALL_LINES = Style("#8a6d3b", "star", "★")
"""How a model is drawn where its lines have what is drawn in common."""


def line_styles(comparison: DimensionComparison) -> dict[str, Style]:
    """Give each of `comparison.lines` its style; controls are gray and dashed."""
    controls = controls_of(comparison)
    reductions = [line.reduction for name, line in comparison.lines.items() if name not in controls]
    by_reduction = len(set(reductions)) == len(reductions)
    styles: dict[str, Style] = {}
    n_controls = 0
    for name, line in comparison.lines.items():
        if name in controls:
            symbol, sign = _nth(CONTROL_SYMBOLS, n_controls)
            dash = CONTROL_DASHES[n_controls % len(CONTROL_DASHES)]
            styles[name] = Style(GRAY, symbol, sign, dash)
            n_controls += 1
        elif by_reduction:
            styles[name] = STYLES[line.reduction]
        else:
            n = len(styles) - n_controls
            styles[name] = Style(PALETTE[n % len(PALETTE)], *_nth(SYMBOLS, n))
    return styles


def model_styles(comparison: DimensionComparison) -> dict[str, tuple[str, Style]]:
    """Give each model a name and a style: those of its line where it has one on its prefixes."""
    of_lines = line_styles(comparison)
    styles: dict[str, tuple[str, Style]] = {}
    for model in comparison.models:
        own = [
            name
            for name, line in comparison.lines.items()
            if line.model == model and line.cut == "prefix"
        ]
        if len(own) == 1:
            styles[model] = own[0], of_lines[own[0]]
        else:
            symbol, sign = _nth(SYMBOLS, 5 + len(styles))
            styles[model] = model, ALL_LINES._replace(symbol=symbol, sign=sign)
    return styles


def translucent(color: str, opacity: float) -> str:
    """Write a color such as "#0072b2" with an opacity."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _nth(symbols: dict[str, str], n: int) -> tuple[str, str]:
    return list(symbols.items())[n % len(symbols)]
