"""Real transformer models with random weights, small enough to make in a test."""

import json

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Normalize,
    Pooling,
    StaticEmbedding,
    Transformer,
)
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

__all__ = ["StaticEmbedding", "make_model", "write_config"]

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz:"]


def make_model(
    folder, *, width=24, normalize=False, config=None, prompts=None, card=None, more_tokens=()
):
    """Save a BERT of the given width to `folder` and return the folder as a string."""
    raw = folder / "raw"
    raw.mkdir(parents=True)
    vocabulary = [*VOCABULARY, *more_tokens]
    words = {word: i for i, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    ends = [(end, words[end]) for end in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]"
    ).save_pretrained(raw)
    bert = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        **(config or {}),
    )
    torch.manual_seed(0)
    model = BertModel(bert)
    # Else rows have mean zero already, and a layer norm before slicing would change nothing.
    torch.nn.init.normal_(model.encoder.layer[0].output.LayerNorm.bias, mean=0.5)
    model.save_pretrained(raw)
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
