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

# Trained at {widths} dimensions: {name}

{name}, trained further so that its first dimensions alone are a good embedding:

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("this folder", truncate_dim={example})
embeddings = model.encode(texts{prompt}, normalize_embeddings=True)
```

## How it was made

By bertopic_matryoshka, with sentence-transformers' trainer: {n_items:,} {kind},
{n_steps:,} batches, {loss}{matryoshka}.

## How it was measured

{measure} before and after the training, on {kind} that were held out:

{table}
The weights before the training are those of {name}, whose licence applies.
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
    dims = scores["dim"].tolist()
    lines = ["| dim | before | after |", "|--:|--:|--:|"]
    lines += [
        f"| {dim} | {before:.3f} | {after:.3f} |"
        for dim, before, after in scores[["dim", "before", "after"]].itertuples(index=False)
    ]
    return CARD.format(
        base=f"base_model: {name}\n" if is_on_hub else "",
        widths=", ".join(map(str, dims)),
        name=name,
        example=dims[-1],
        prompt=', prompt_name="clustering"' if prompt else "",
        n_items=n_items,
        kind=kind,
        n_steps=n_steps,
        loss=loss,
        matryoshka=" at each of these widths (MatryoshkaLoss)" if len(dims) > 1 else "",
        measure=scores["measure"].iloc[0].replace("_", " ").capitalize(),
        table="\n".join(lines) + "\n",
    )
