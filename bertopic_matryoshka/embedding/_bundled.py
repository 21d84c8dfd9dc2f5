"""The embedding model that ships inside the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = Path(__file__).parent / "default_model"
"""The model's folder."""


def load_default_model(device: str | None = None) -> SentenceTransformer:
    """Load the bundled static Matryoshka model, without a network.

    It maps every token to a vector and averages them: 256 wide, made to be cut to 128, 64 or
    32. ``default_model/README.md`` says what it was made from and how good it is.

    Parameters
    ----------
    device : str or None, default=None
        Where to run. None means the CPU, where a static model is fastest.

    Returns
    -------
    SentenceTransformer
        Gives rows of 256 dims, not normalised. A text without a known token, such as the
        empty string, gives a row of zeros.

    Notes
    -----
    The weights and the model card are in the folder ``default_model`` beside this file.

    Examples
    --------
    >>> from bertopic_matryoshka.embedding._bundled import load_default_model
    >>> load_default_model().encode(["a cat sat on the mat"]).shape
    (1, 256)
    """
    from safetensors.torch import load_file
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    tensors = load_file(DEFAULT_MODEL / "model.safetensors")
    # One int8 row and one float scale a token: model2vec's layout, which sentence-transformers
    # itself reads only from 6.2 on.
    rows = tensors["embeddings"].float() * tensors["weights"][:, None]
    tokenizer = Tokenizer.from_file(str(DEFAULT_MODEL / "tokenizer.json"))
    module = StaticEmbedding(tokenizer, embedding_weights=rows)
    return SentenceTransformer(modules=[module], device=device or "cpu")
