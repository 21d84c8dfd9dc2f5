"""Real transformer models with random weights, small enough to make in a test."""

import json

import torch
import transformers
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

__all__ = ["ARCHITECTURES", "StaticEmbedding", "make_architecture", "make_model", "write_config"]

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
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        **{"num_hidden_layers": 1, **(config or {})},
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


SIZES = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 40,
}
ENDS = dict.fromkeys(("eos_token_id", "bos_token_id", "cls_token_id", "sep_token_id"), 2)
ARCHITECTURES = {
    "Bert": SIZES,
    "Roberta": SIZES | {"pad_token_id": 0},
    "XLMRoberta": SIZES | {"pad_token_id": 0},
    "MPNet": SIZES | {"pad_token_id": 0},
    "DistilBert": {
        "vocab_size": len(VOCABULARY),
        "dim": 24,
        "n_layers": 3,
        "n_heads": 2,
        "hidden_dim": 16,
        "max_position_embeddings": 40,
    },
    "ModernBert": SIZES | {"pad_token_id": 0} | ENDS,
}
"""Their configurations, with three layers each."""


def make_architecture(kind, folder, **changed):
    """Make a model of the architecture, 24 wide, with three layers, and what it needs in `folder`.

    Nothing is dropped out.
    """
    make_model(folder / "bert")
    config = getattr(transformers, f"{kind}Config")(**ARCHITECTURES.get(kind, SIZES), **changed)
    for name in list(config.to_dict()):
        if "dropout" in name and not name.startswith("classifier"):
            setattr(config, name, 0.0)
    torch.manual_seed(0)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(folder / "bert" / "raw").save_pretrained(folder)
    modules = [Transformer(str(folder)), Pooling(24)]
    return SentenceTransformer(modules=modules, device="cpu")


def write_config(saved, **values):
    """Write a config.json as static models have."""
    with open(f"{saved}/config.json", "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(values, file)
