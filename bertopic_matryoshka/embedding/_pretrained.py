"""A model and its rotation -> a folder that sentence-transformers loads and truncates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    import torch
    from sentence_transformers import SentenceTransformer

    from bertopic_matryoshka.embedding._rotation import Rotation

CARD = """\
---
library_name: sentence-transformers
tags:
- sentence-transformers
- feature-extraction
- sentence-similarity
- matryoshka
{base}---

# Rotated: {name}

The embeddings of {name}, rotated so that their first dimensions hold
the most of them. At full width, {full_dim} dimensions, cosine similarities are those of that model.
Unlike there, the first dimensions alone are a good embedding:

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("this folder", truncate_dim={example})
embeddings = model.encode(texts{prompt}, normalize_embeddings=True)
```

## How it was made

By bertopic_matryoshka, without training and without labels. The axes are the right singular
vectors of {n_rows:,} embeddings at unit length, not centred, largest singular value first. The
embeddings determine {rank:,} axes; any further ones complete the basis.

To the modules of {name} were added {steps}.

## How it was measured

Share of the squared length of those {n_rows:,} embeddings that the first dimensions hold:

{lengths}
{measured}The weights before the rotation are those of {name}, whose licence applies.
"""

MEASURED = """\
What each width keeps of the neighbours at full width, on texts that the rotation was not fitted to:

{table}
"""


def save_rotated_model(
    model: SentenceTransformer,
    folder: Path,
    rotation: Rotation,
    *,
    name: str,
    is_on_hub: bool,
    layer_norm: bool,
    prompt: str,
    prefixes: pd.DataFrame | None,
) -> None:
    """Save a model with its rotation, see MatryoshkaBackend.save_pretrained.

    Parameters
    ----------
    model : SentenceTransformer
        Not changed.
    folder : Path
    rotation : Rotation
    name : str
        Name of the model, for the model card.
    is_on_hub : bool
        Whether it is a name on the model hub.
    layer_norm : bool
        Whether rows are layer-normalised before the rotation.
    prompt : str
        Prompt for clustering, possibly empty.
    prefixes : DataFrame or None
        Table of compare_prefixes.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} has files in it. Name a new or an empty folder.")
    whole = with_steps(model, rotation, layer_norm=layer_norm)
    base = f"base_model: {name}\n" if is_on_hub else ""
    card = _card(rotation, name, base, layer_norm=layer_norm, prompt=prompt, prefixes=prefixes)
    write_model(whole, folder, dims=rotation.dims, prompt=prompt, card=card)


def write_model(
    model: SentenceTransformer,
    folder: Path,
    *,
    dims: Sequence[int],
    prompt: str,
    card: str,
    **config: object,
) -> None:
    """Save a model with its trained widths, its prompt for clustering and a card of its own.

    Parameters
    ----------
    model : SentenceTransformer
        Its prompt "clustering" is set.
    folder : Path
    dims : sequence of int
        Widths, for config.json's matryoshka_dimensions.
    prompt : str
        Prompt for clustering, possibly empty.
    card : str
        Text of README.md.
    **config
        Further entries of config.json, of JSON types.
    """
    model.prompts = {**model.prompts, "clustering": prompt}
    model.save_pretrained(str(folder), create_model_card=False)
    file = folder / "config.json"  # of the first module, if it has one
    values = json.loads(file.read_text("utf-8")) if file.exists() else {}
    values |= {"matryoshka_dimensions": list(dims), **config}
    file.write_text(json.dumps(values, indent=2), "utf-8")
    (folder / "README.md").write_text(card, "utf-8")


def with_steps(
    model: SentenceTransformer, rotation: Rotation | None, *, layer_norm: bool
) -> SentenceTransformer:
    """Append what comes before slicing to the model's modules, which both share."""
    if rotation is None and not layer_norm:
        return model
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, LayerNorm, Normalize

    steps: list[torch.nn.Module] = []
    if layer_norm:
        steps.append(LayerNorm(int(model.get_embedding_dimension() or 0)))
    if rotation is not None:
        dense = Dense(
            rotation.full_dim,
            rotation.full_dim,
            bias=False,
            activation_function=torch.nn.Identity(),
            init_weight=torch.from_numpy(rotation.axes),
        )
        steps.append(dense)
    whole = SentenceTransformer(modules=[*model, *steps, Normalize()], device=str(model.device))
    whole.prompts = dict(model.prompts)
    whole.default_prompt_name = model.default_prompt_name
    whole.similarity_fn_name = model.similarity_fn_name
    return whole


def _card(
    rotation: Rotation,
    name: str,
    base: str,
    *,
    layer_norm: bool,
    prompt: str,
    prefixes: pd.DataFrame | None,
) -> str:
    """Write the model card."""
    lengths = [(dim, f"{rotation.length_kept(dim):.3f}") for dim in rotation.dims]
    measured = ""
    if prefixes is not None:
        columns = ["dim", "neighbors_kept", "trustworthiness", "spearman"]
        rows = prefixes[columns].itertuples(index=False)
        cells = [(row[0], *(f"{value:.3f}" for value in row[1:])) for row in rows]
        measured = MEASURED.format(
            table=_table([name.replace("_", " ") for name in columns], cells)
        )
    return CARD.format(
        base=base,
        name=name,
        full_dim=rotation.full_dim,
        example=rotation.dims[-1],
        prompt=', prompt_name="clustering"' if prompt else "",
        n_rows=rotation.n_rows,
        rank=rotation.rank,
        steps=("a layer norm, " if layer_norm else "")
        + "the rotation, as a dense layer without bias and activation,\nand a normalisation",
        lengths=_table(["dim", "squared length"], lengths),
        measured=measured,
    )


def _table(head: list[str], rows: Sequence[tuple[object, ...]]) -> str:
    """Write a markdown table of numbers."""
    lines = [head, ["--:"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"
