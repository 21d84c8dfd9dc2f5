"""What was trained, and how -> the model card of the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

CARD = """\
---
library_name: sentence-transformers
tags:
- sentence-transformers
- feature-extraction
- sentence-similarity
- matryoshka
{base}---

# Trained at {sizes}: {name}

{name}, trained further so that its first dimensions alone are a good embedding:

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("this folder", truncate_dim={example})
embeddings = model.encode(texts{prompt}, normalize_embeddings=True)
```
{layers}
## How it was made

By bertopic_matryoshka, with sentence-transformers' trainer: {n_items:,} {kind},
{n_steps:,} batches, {loss}{where}.

## How it was measured

{measure} before and after the training, on {kind} that were held out:

{table}
The weights before the training are those of {name}, whose licence applies.
"""


LAYERS = """
Its first layers alone are faster, and were trained to be used so:

```python
from bertopic_matryoshka import first_layers

model = first_layers(model, {example})
```
"""


def card_of(
    scores: pd.DataFrame,
    *,
    n_items: int,
    n_steps: int,
    name: str,
    is_on_hub: bool,
    prompt: str,
    kind: str,
    loss: str,
) -> str:
    """Write the model card from the scores of MatryoshkaTraining."""
    dims = scores["dim"].unique().tolist()
    layers = scores["n_layers"].unique().tolist() if "n_layers" in scores else []
    table = scores.drop(columns="measure").rename(columns={"n_layers": "layers"})
    lines = [table.columns, ["--:"] * table.shape[1]]
    lines += [
        [*map(str, size), f"{before:.3f}", f"{after:.3f}"]
        for *size, before, after in table.itertuples(index=False)
    ]
    return CARD.format(
        base=f"base_model: {name}\n" if is_on_hub else "",
        sizes=_listed(dims, "dimensions") + (f" and {_listed(layers, 'layers')}" if layers else ""),
        name=name,
        example=dims[-1],
        prompt=', prompt_name="clustering"' if prompt else "",
        n_items=n_items,
        kind=kind,
        n_steps=n_steps,
        loss=loss,
        layers=LAYERS.format(example=layers[-1]) if len(layers) > 1 else "",
        where=_where(dims, layers),
        measure=scores["measure"].iloc[0].replace("_", " ").capitalize(),
        table="".join(f"| {' | '.join(line)} |\n" for line in lines),
    )


def _listed(numbers: list[int], noun: str) -> str:
    return f"{', '.join(map(str, numbers))} {noun}"


def _where(dims: list[int], layers: list[int]) -> str:
    """Say at which widths, and after which layers, the loss is computed."""
    widths = " at each of these widths" if len(dims) > 1 else ""
    if len(layers) <= 1:
        return f"{widths} (MatryoshkaLoss)" if widths else ""
    loss = "Matryoshka2dLoss" if widths else "AdaptiveLayerLoss"
    return (
        f"{widths}, after all layers\nand, in each batch, after one of the other numbers of layers "
        f"({loss})"
    )
