"""first_layers: the hidden state after n layers, of every architecture with a list of layers."""

import pytest
import torch
from sentence_transformers import SentenceTransformer
from tiny_models import ARCHITECTURES, StaticEmbedding, make_architecture

from bertopic_matryoshka import MatryoshkaBackend, first_layers

TEXTS = ["a b c d e", "x y", "q"]


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_rows_are_those_of_the_hidden_state_and_survive_a_save(kind, tmp_path):
    model = make_architecture(kind, tmp_path / "whole")
    whole = model.encode(TEXTS)
    features = model.preprocess(TEXTS[:1])
    transformer = model[0].auto_model
    with torch.no_grad():
        states = transformer(**features, output_hidden_states=True).hidden_states
    norm = transformer.final_norm if kind == "ModernBert" else torch.nn.Identity()
    for n_layers in (1, 2, 3):
        cut = first_layers(model, n_layers)
        state = states[n_layers] if n_layers == 3 else norm(states[n_layers])
        expected = state[0].mean(dim=0).detach()
        torch.testing.assert_close(cut.encode(TEXTS[:1], convert_to_tensor=True)[0], expected)
        cut.save_pretrained(str(tmp_path / str(n_layers)))
        again = SentenceTransformer(str(tmp_path / str(n_layers)), device="cpu")
        assert again[0].auto_model.config.num_hidden_layers == n_layers
        assert (again.encode(TEXTS) == cut.encode(TEXTS)).all()
    assert (model.encode(TEXTS) == whole).all()


def test_weights_are_shared(tmp_path):
    model = make_architecture("Bert", tmp_path)
    cut = first_layers(model, 2)
    own, kept = dict(model.named_parameters()), dict(cut.named_parameters())
    assert len(kept) < len(own)
    assert all(own[name] is weights for name, weights in kept.items())
    assert MatryoshkaBackend(cut, dims=[24, 8]).truncated(8).embed(TEXTS).shape == (3, 8)


@pytest.mark.parametrize(
    ("n_layers", "error", "message"),
    [
        (0, ValueError, "n_layers=0 must be at least 1"),
        (4, ValueError, "n_layers=4 must be between 1 and 3"),
        (1.0, TypeError, "n_layers=1.0 must be an int"),
        (True, TypeError, "n_layers=True must be an int"),
    ],
)
def test_numbers_out_of_range(tmp_path, n_layers, error, message):
    with pytest.raises(error, match=message):
        first_layers(make_architecture("Bert", tmp_path), n_layers)


def test_models_without_layers_of_their_own(tmp_path):
    bert = make_architecture("Bert", tmp_path / "bert")
    static = StaticEmbedding(bert.tokenizer.backend_tokenizer, embedding_dim=8)
    with pytest.raises(ValueError, match=r"no list of layers that could be cut.*StaticEmbedding"):
        first_layers(SentenceTransformer(modules=[static]), 1)
    with pytest.raises(ValueError, match=r"no list of layers that could be cut.*AlbertModel"):
        first_layers(
            make_architecture("Albert", tmp_path / "albert", embedding_size=8), 1
        )  # one layer, shared
