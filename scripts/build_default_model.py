"""Build the model that ships in the wheel, from all-MiniLM-L6-v2.

    pip install "model2vec[distill]>=0.10" "sentence-transformers>=5.4"
    apt-get install wordnet-base    # or any folder with WordNet's data.noun, data.verb, ...
    python scripts/build_default_model.py --teacher FOLDER/all-MiniLM-L6-v2

Three steps: model2vec distils one vector a token; a rotation (PCA of the teacher's embeddings of
texts) orders the dimensions and SIF weights scale the tokens; then MatryoshkaLoss trains every
prefix to give the teacher's cosine similarities between texts.
"""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import importlib.util
import json
import random
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from model2vec.distill import distill
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

OUT = Path(__file__).parents[1] / "bertopic_matryoshka" / "default_model"
LIBRARIES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "transformers": "transformers",
}
WIDTHS = [256, 128, 64, 32]
SIF = 3e-5
N_TEXTS = 130_000
BATCH, EPOCHS, LEARNING_RATE = 1024, 3, 2e-2


class TeacherSimilarityLoss(torch.nn.Module):
    """Mean squared error between the student's and the teacher's cosines within a batch.

    Unlike MSELoss it needs no labels of the student's width, so MatryoshkaLoss can cut the
    student alone.
    """

    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, sentence_features: Iterable[dict[str, torch.Tensor]], labels: torch.Tensor
    ) -> torch.Tensor:
        """Compare one batch; labels are the teacher's unit rows, shape (n_texts, n_dims)."""
        (features,) = sentence_features
        rows = torch.nn.functional.normalize(self.model(features)["sentence_embedding"])
        gap = rows @ rows.T - labels @ labels.T
        return (gap - torch.diag(torch.diag(gap))).square().mean()


def read_wordnet(folder: Path) -> Iterator[str]:
    """Yield each synset's words with its gloss, its examples, and both beside its hypernym."""
    synsets: dict[str, tuple[str, str, list[str], str | None]] = {}
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
            head, found, gloss = line.partition(" | ")
            if not found:
                continue  # the licence
            fields = head.split()
            end = 4 + 2 * int(fields[3], 16)
            words = ", ".join(re.sub(r"\(\w+\)$", "", w) for w in fields[4:end:2])
            above = re.search(r" @i? (\d{8}) (\w)", head)
            synsets[fields[2] + fields[0]] = (
                words.replace("_", " "),
                re.split(r';\s*"', gloss)[0].strip(),
                re.findall(r'"([^"]+)"', gloss),
                above[2] + above[1] if above else None,
            )
    for words, gloss, examples, key in synsets.values():
        yield f"{words}: {gloss}"
        yield from examples
        if key in synsets and random.random() < 0.3:
            words_above, gloss_above, examples_above, _ = synsets[key]
            own, above_them = ". ".join([*examples, gloss]), ". ".join(examples_above)
            yield f"{own}. {words}, {words_above}: {gloss_above}. {above_them}"


def read_docstrings() -> list[str]:
    """Return the paragraphs of prose in the libraries' docstrings."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
    paragraphs = set()
    for library in LIBRARIES:
        spec = importlib.util.find_spec(library)
        if spec is None or spec.origin is None:
            raise ImportError(f"{library} is not installed; its docstrings are training text.")
        for path in sorted(Path(spec.origin).parent.rglob("*.py")):
            if "tests" in path.parts:
                continue
            try:
                tree = ast.parse(path.read_text(encoding="utf-8"))
            except SyntaxError:  # written for a later Python
                continue
            for node in ast.walk(tree):
                doc = ast.get_docstring(node) if isinstance(node, kinds) else None
                for block in re.split(r"\n\s*\n", doc or ""):
                    text = " ".join(block.split())
                    prose = sum(c.isalpha() or c == " " for c in text)
                    if 60 < len(text) < 800 and prose > 0.85 * len(text):
                        paragraphs.add(text)
    return sorted(paragraphs)


def embed(teacher: str, texts: list[str]) -> NDArray[np.float32]:
    """Return the teacher's embeddings, less their mean."""
    model = SentenceTransformer(teacher, device="cpu", model_kwargs={"dtype": torch.bfloat16})
    model.max_seq_length = 128
    rows = np.asarray(model.encode(texts, batch_size=128, show_progress_bar=True), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows -= rows.mean(axis=0)
    return rows


def start(teacher: str, texts: list[str], targets: NDArray[np.float32]) -> StaticEmbedding:
    """Distil the token vectors, rotate them onto the texts' main directions and weight them."""
    distilled = distill(
        teacher, device="cpu", pca_dims=None, sif_coefficient=None, quantize_to="float32"
    )
    tokenizer: Tokenizer = distilled.tokenizer
    tokenizer.no_truncation()
    rows = distilled.embedding - distilled.embedding.mean(axis=0)
    axes = np.linalg.eigh(np.cov(targets.T))[1][:, ::-1][:, : WIDTHS[0]]
    ids = np.concatenate([e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)])
    zipf = 1 / np.arange(2, len(rows) + 2)  # the vocabulary is in order of frequency
    frequency = np.bincount(ids, minlength=len(rows)) / len(ids) / 2 + zipf / zipf.sum() / 2
    rows = (rows @ axes) * (SIF / (SIF + frequency))[:, None]
    unknown = tokenizer.token_to_id("[UNK]")
    rows[[unknown, tokenizer.token_to_id("[PAD]")]] = 0
    module = StaticEmbedding(tokenizer, embedding_weights=rows.astype(np.float32))
    module.embedding.padding_idx = unknown  # says nothing, so learns nothing
    return module


def train(module: StaticEmbedding, texts: list[str], targets: NDArray[np.float32]) -> None:
    """Train every prefix of the module to give the targets' cosine similarities."""
    labels = torch.nn.functional.normalize(torch.from_numpy(targets))
    model = SentenceTransformer(modules=[module], device="cpu")
    loss = MatryoshkaLoss(model, TeacherSimilarityLoss(model), WIDTHS)
    optimizer = torch.optim.Adam(module.parameters(), LEARNING_RATE)
    n_steps = len(texts) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=EPOCHS * n_steps + 1, pct_start=0.1
    )
    for epoch in range(EPOCHS):
        order = torch.randperm(len(texts))
        total = 0.0
        for batch in order[: n_steps * BATCH].view(n_steps, BATCH):
            value = loss([module.preprocess([texts[i] for i in batch])], labels[batch])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            total += value.item()
        print(f"epoch {epoch + 1}: loss {total / n_steps:.5f}")


def save(module: StaticEmbedding, out: Path) -> None:
    """Write int8 rows and one scale a row, in model2vec's layout, beside a bare tokenizer."""
    rows = module.embedding.weight.detach().numpy()
    scale = np.maximum(np.abs(rows).max(axis=1), 1e-12) / 127
    tensors = {
        "embeddings": np.round(rows / scale[:, None]).astype(np.int8),
        "weights": scale.astype(np.float32),
    }
    config: dict[str, Any] = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "normalize": True,
        "hidden_dim": WIDTHS[0],
        "is_matryoshka": True,
        "matryoshka_dimensions": WIDTHS,
        "docstrings_of": {n: importlib.metadata.version(n) for n in LIBRARIES.values()},
    }
    kind = "sentence_transformers.models.StaticEmbedding"
    modules = [{"idx": 0, "name": "0", "path": "", "type": kind}]
    tokenizer = json.loads(module.tokenizer.to_str()) | {"decoder": None, "padding": None}
    out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out / "model.safetensors")
    (out / "model.safetensors").chmod(0o644)
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (out / "tokenizer.json").write_text(text, encoding="utf-8")
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (out / "modules.json").write_text(json.dumps(modules, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments and build."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--teacher", required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    if not (args.wordnet / "data.noun").is_file():
        parser.error(f"--wordnet={args.wordnet} has no data.noun. Install wordnet-base (Debian).")
    began = time.perf_counter()
    random.seed(0)
    torch.manual_seed(0)
    paragraphs = read_docstrings()
    texts = [*read_wordnet(args.wordnet), *random.sample(paragraphs, min(40_000, len(paragraphs)))]
    texts = random.sample(texts, min(N_TEXTS, len(texts)))
    targets = embed(args.teacher, texts)
    module = start(args.teacher, texts, targets)
    train(module, texts, targets)
    save(module, args.out)
    print(f"{len(texts)} texts, {time.perf_counter() - began:.0f} s: {args.out}")


if __name__ == "__main__":
    main()
