"""The model that is trained: a copy of the caller's, with all that must come before slicing."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from bertopic_matryoshka._validation import check_at_least, check_dim
from bertopic_matryoshka.embedding import MatryoshkaBackend, count_layers, name_of, with_steps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True, eq=False)
class Subject:
    """A model to train.

    Attributes
    ----------
    model : SentenceTransformer
        A copy; where the backend is rotated, the rotation is its last module but the normalisation.
    name : str
        Name of the model that it is a copy of.
    is_on_hub : bool
        Whether that is its name on the model hub.
    prompt : str
        Prompt for clustering, possibly empty.
    full_dim : int
    """

    model: SentenceTransformer
    name: str
    is_on_hub: bool
    prompt: str
    full_dim: int

    @classmethod
    def of(
        cls,
        model: str | Path | SentenceTransformer | MatryoshkaBackend | None,
        device: str | None,
    ) -> Subject:
        """Load and copy a model."""
        from sentence_transformers import SentenceTransformer

        if isinstance(model, MatryoshkaBackend):
            backend = model
            if backend.permutation_seed is not None or backend.lexical_view is not None:
                raise ValueError(
                    f"{backend!r} does more than a sentence-transformers model can be saved with. "
                    "Pass it without its permutation and without its view."
                )
        else:
            is_loaded = isinstance(model, SentenceTransformer)
            backend = MatryoshkaBackend(model, device=None if is_loaded else device)
        original = backend.embedding_model
        if not isinstance(original, SentenceTransformer):
            raise TypeError(
                f"model is of type {type(original).__name__}, which cannot be trained here. Pass a "
                "sentence-transformers model, or its name or folder."
            )
        layer_norm = backend.facts.before_slicing == "layer_norm"
        whole = with_steps(original, backend.rotation, layer_norm=layer_norm)
        trained = copy.deepcopy(whole)
        trained.truncate_dim = None
        if device is not None:
            trained.to(device)
        recipe = backend.recipe()
        is_bundled = recipe.get("model", "") is None
        name, is_on_hub = backend.name, False
        if not is_bundled:
            name, is_on_hub = name_of(original, recipe.get("model"))
        return cls(
            model=trained,
            name=name,
            is_on_hub=is_on_hub,
            prompt=backend.effective_prompt,
            full_dim=backend.full_dim,
        )

    def checked_dims(self, dims: Sequence[int] | None) -> tuple[int, ...]:
        """Return the widths to train, descending; the full width is always one of them."""
        if dims is None:
            return tuple(
                sorted({self.full_dim, *(2**n for n in range(5, 13) if 2**n < self.full_dim)})
            )[::-1]
        checked = {check_dim(dim, self.full_dim, of=self.name, name="dims") for dim in dims}
        return tuple(sorted(checked | {self.full_dim}, reverse=True))

    def checked_layers(self, layers: str | Sequence[int] | None) -> tuple[int, ...]:
        """Return the numbers of layers to train after, descending, all among them; () for None."""
        if layers is None:
            return ()
        total = count_layers(self.model)
        if isinstance(layers, str):
            if layers != "all":
                raise ValueError(f'layers={layers!r} must be "all", numbers of layers, or None.')
            layers = range(1, total)
        for n_layers in layers:
            check_at_least(n_layers, 1, name="layers")
            if n_layers > total:
                raise ValueError(
                    f"layers={n_layers} must be between 1 and {total}, the layers of {self.name}."
                )
        return tuple(sorted({total, *layers}, reverse=True))

    @property
    def is_transformer(self) -> bool:
        """Whether it has more to train than its tokens' vectors."""
        return hasattr(self.model[0], "auto_model")

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed texts at full width, as unit rows."""
        encoded: NDArray[np.float32] = self.model.encode(
            texts, prompt=self.prompt, normalize_embeddings=True, show_progress_bar=False
        )
        return encoded

    def check_finite(self) -> None:
        """Check that training has not diverged."""
        for name, weights in self.model.named_parameters():
            if not torch.isfinite(weights).all():
                raise FloatingPointError(
                    f"The training diverged: {name} is NaN or infinite. Lower the learning rate, "
                    'such as arguments={"learning_rate": 1e-5}, in a new folder.'
                )

    def digest(self) -> str:
        """Return a digest of the weights, by which a resumed run knows its model."""
        found = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            found.update(name.encode())
            found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
        return found.hexdigest()
