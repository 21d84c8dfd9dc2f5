"""A sentence-transformers model -> a digest of its contents, by which to know it again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def contents_of(model: SentenceTransformer) -> dict[str, Any]:
    """Describe what of a model its embeddings depend on, as JSON types.

    Weights are hashed at each call, so that a model that is trained further has other contents.

    Of an ONNX or OpenVINO model the files are hashed, as it would be saved.

    Raises
    ------
    ValueError
        If the weights cannot be read.
    """
    return {
        "model": _model_hash(model),
        "dtype": sorted({str(tensor.dtype) for tensor in model.state_dict().values()}),
        "max_seq_length": str(model.max_seq_length),  # infinite for some
    }


def _model_hash(model: SentenceTransformer) -> str:
    """Hash weights, modules, their configuration and the tokenizer."""
    import torch

    own: list[Any] = [getattr(module, "auto_model", None) for module in model]
    files = []
    for part in own:
        if part is None or isinstance(part, torch.nn.Module):
            continue
        if not hasattr(part, "save_pretrained"):
            raise ValueError(
                f"The weights of {type(model[0]).__name__} cannot be read, so that its embeddings "
                "cannot be told from another model's. Use a torch model, or no store."
            )
        files.append(_hash_of_files(part))
    configs = [part.config.to_dict() for part in own if hasattr(part, "config")]
    for config in configs:
        config.pop("_name_or_path", None)
        config.pop("transformers_version", None)
    # A class's module names the revision of code that came with a model.
    classes = [f"{type(part).__module__}.{type(part).__qualname__}" for part in model.modules()]
    described = [str(model), classes, configs, _tokenizer_state(getattr(model, "tokenizer", None))]
    if files:
        described.append(files)
    found = hashlib.sha256(json.dumps(described, sort_keys=True, default=repr).encode())
    for name, tensor in model.state_dict().items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()


def _hash_of_files(part: Any) -> str:
    """Hash the weights that an ONNX or OpenVINO model would be saved with."""
    found = hashlib.sha256()
    with TemporaryDirectory() as folder:
        part.save_pretrained(folder)
        for file in sorted(Path(folder).rglob("*")):
            if file.suffix in {".onnx", ".onnx_data", ".xml", ".bin"}:
                found.update(f"{file.name} {file.stat().st_size}".encode())
                found.update(file.read_bytes())
    return found.hexdigest()


def _tokenizer_state(tokenizer: Any) -> Any:
    fast = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(fast, "to_str"):
        return [repr(tokenizer), getattr(tokenizer, "get_vocab", dict)()]
    state = json.loads(fast.to_str())
    # Set anew at each call, from max_seq_length and the batch.
    return {name: part for name, part in state.items() if name not in ("truncation", "padding")}
