"""Real transformer models with random weights, small enough to make in a test."""

import json

from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer
from transformers import BertConfig, BertModel, BertTokenizerFast

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz:"]


def make_model(folder, *, width=24, normalize=False, config=None, prompts=None, card=None):
    """Save a BERT of the given width to `folder` and return the folder as a string."""
    raw = folder / "raw"
    raw.mkdir(parents=True)
    (raw / "vocab.txt").write_text("\n".join(VOCABULARY), "utf-8")
    BertTokenizerFast(vocab=str(raw / "vocab.txt")).save_pretrained(raw)
    bert = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=width,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        **(config or {}),
    )
    BertModel(bert).save_pretrained(raw)
    modules = [Transformer(str(raw)), Pooling(width)]
    if normalize:
        modules.append(Normalize())
    model = SentenceTransformer(modules=modules, device="cpu", prompts=prompts)
    saved = folder
    model.save_pretrained(str(saved), create_model_card=False)
    if card:
        (saved / "README.md").write_text(card, "utf-8")
    return str(saved)


def write_config(saved, **values):
    """Write a config.json as static models have."""
    with open(f"{saved}/config.json", "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(values, file)
