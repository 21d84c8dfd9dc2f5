"""A rotated backend: every prefix is a good one, and nothing else changes."""

import json
import pickle
import warnings

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from tiny_models import make_model

from bertopic_matryoshka import (
    MatryoshkaBackend,
    PrincipalRotation,
    TruncationWarning,
    build_topic_model,
    compare_dimensions,
    compare_prefixes,
    truncate,
)
from bertopic_matryoshka.embedding import EmbeddingStore, embedding_key

LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXTS = [f"{a} {b} {a}" for a in LETTERS for b in "fgh"]
NEW = ["z y x", "a", "b c d e f"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that ends in Normalize and was not trained to be truncated."""
    return make_model(tmp_path_factory.mktemp("models") / "plain", width=48, normalize=True)


@pytest.fixture(scope="module")
def plain(folder):
    return MatryoshkaBackend(folder, device="cpu")


@pytest.fixture(scope="module")
def rotated(plain):
    return plain.rotated(TEXTS)


@pytest.fixture(scope="module")
def nomic(tmp_path_factory):
    """A model whose card wants a layer norm before slicing, and a prompt."""
    card = 'model = SentenceTransformer("nomic-ai/nomic-embed-text-v1.5")'
    return make_model(tmp_path_factory.mktemp("models") / "model", width=768, card=card)


@pytest.fixture
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# ---- rows


def test_no_similarity_changes_at_full_width(plain, rotated):
    own, rows = plain.embed(TEXTS + NEW), rotated.embed(TEXTS + NEW)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows @ rows.T, own @ own.T, atol=1e-5)
    assert np.abs(rows - own).max() > 0.1


def test_rows_are_those_of_the_transformer(plain, rotated):
    transformer = PrincipalRotation().fit(plain.embed(TEXTS))
    for dim in (48, 32, 7):
        rows = rotated.truncated(dim).embed(NEW)
        expected = truncate(transformer.transform(plain.embed(NEW)), dim)
        np.testing.assert_allclose(rows, expected, atol=1e-5)
        np.testing.assert_allclose(rows, truncate(rotated.embed(NEW), dim), atol=1e-5)


def test_embeddings_at_hand_are_rotated_without_the_model(plain, rotated, encoded):
    own = plain.embed(NEW)
    encoded.clear()
    rows = rotated.rotation.apply(own)
    assert encoded == []
    np.testing.assert_allclose(rows, rotated.embed(NEW), atol=1e-5)
    np.testing.assert_allclose(rotated.rotation.apply(own, 8), rows[:, :8], atol=1e-6)


def test_a_prefix_holds_more(plain, rotated):
    own = compare_prefixes(plain.embed(TEXTS), [8])["neighbors_kept"].item()
    assert compare_prefixes(rotated.embed(TEXTS), [8])["neighbors_kept"].item() > own + 0.1


def test_words_take_the_same_path(rotated):
    cut = rotated.truncated(16)
    np.testing.assert_array_equal(cut.embed_words(NEW), cut.embed_documents(NEW))


@pytest.mark.usefixtures("no_warning")
def test_documents_embeddings_transformer_and_rotation_give_one_backend(plain, rotated):
    rows = plain.embed(TEXTS)
    streamed = PrincipalRotation()
    for batch in np.array_split(rows, 3):
        streamed.partial_fit(batch)
    others = (rows, streamed, rotated.rotation, [*TEXTS, *TEXTS[:20]], iter(TEXTS))
    for data in others:
        again = plain.rotated(data)
        # Axes far down have little to tell them apart.
        np.testing.assert_allclose(
            again.truncated(8).embed(NEW), rotated.truncated(8).embed(NEW), atol=1e-3
        )
    # Of a backend that is rotated already, documents are embedded without that rotation.
    np.testing.assert_allclose(
        rotated.rotated(TEXTS).truncated(8).embed(NEW),
        rotated.truncated(8).embed(NEW),
        atol=1e-5,
    )
    np.testing.assert_array_equal(rotated.rotated(None).embed(NEW), plain.embed(NEW))
    assert plain.rotation is None


def test_only_the_sample_is_embedded(plain, encoded):
    backend = plain.rotated(TEXTS, sample_size=30, random_state=1)
    assert len(set(encoded) & set(TEXTS)) == 30
    assert backend.rotation.n_rows == 30
    encoded.clear()
    plain.rotated(TEXTS, sample_size=30, random_state=2)
    assert len(set(encoded) & set(TEXTS)) == 30


def test_layer_norm_comes_before_the_rotation(nomic):
    backend = MatryoshkaBackend(nomic, device="cpu")
    cut = backend.rotated(TEXTS).truncated(32)
    rotation = PrincipalRotation().fit(backend.embed(TEXTS))
    rows = SentenceTransformer(nomic, device="cpu").encode(NEW, prompt="clustering: ")
    rows = torch.nn.functional.layer_norm(torch.from_numpy(rows), (768,)).numpy()
    expected = truncate(rotation.transform(rows), 32)
    np.testing.assert_allclose(cut.embed(NEW), expected, atol=1e-4)


def test_permuted_after_the_rotation(rotated):
    """A control for the value of the order of the rotated dimensions."""
    order = np.random.default_rng(3).permutation(48)
    control = rotated.permuted(3).truncated(8)
    expected = truncate(rotated.embed(NEW)[:, order], 8)
    np.testing.assert_allclose(control.embed(NEW), expected, atol=1e-5)


# ---- widths


@pytest.mark.usefixtures("no_warning")
def test_any_width_does_after_a_rotation(folder, tmp_path):
    wide = make_model(tmp_path / "wide", width=300)
    rows = np.random.default_rng(0).normal(size=(400, 300))
    backend = MatryoshkaBackend(wide, truncate_dim=32, device="cpu", dims=[200]).rotated(rows)
    assert backend.dims == (300, 256, 128, 64, 32)
    assert backend.facts.dims_source == "its rotation"
    for dim in (5, 32, 100, None):
        assert backend.truncated(dim).embed(NEW).shape == (3, dim or 300)
    assert backend.truncated(None).rotated(None).dims == (200,)


def test_more_dimensions_than_rows_determine(plain):
    few = plain.rotated(TEXTS[:10])
    assert few.rotation.rank <= 10
    assert few.dims == (48,)
    with pytest.warns(
        TruncationWarning, match="truncate_dim=20 keeps arbitrary axes: the rotation's 10"
    ):
        few.truncated(20)
    rows = few.embed(NEW)  # the basis is completed, so that nothing is lost
    np.testing.assert_allclose(rows @ rows.T, plain.embed(NEW) @ plain.embed(NEW).T, atol=1e-5)


@pytest.mark.parametrize("dim", [0, 49])
def test_width_out_of_range(rotated, dim):
    with pytest.raises(ValueError, match="truncate_dim"):
        rotated.truncated(dim)


# ---- what is refused


def test_embeddings_of_another_width(plain):
    rows = plain.embed(TEXTS)
    with pytest.raises(ValueError, match=r"The embeddings are 24 wide, but .* is 48 wide"):
        plain.rotated(rows[:, :24])
    fitted = PrincipalRotation().fit(rows[:, :24])
    with pytest.raises(ValueError, match=r"was fitted to rows 24 wide, but .* is 48 wide"):
        plain.rotated(fitted)
    with pytest.raises(ValueError, match="keeps 8 of 48 axes, and a backend needs all"):
        plain.rotated(PrincipalRotation(8).fit(rows))
    with pytest.raises(ValueError, match="not fitted"):
        plain.rotated(PrincipalRotation())


def test_another_model(rotated, folder, tmp_path):
    torch.manual_seed(1)
    model = SentenceTransformer(make_model(tmp_path / "other", width=48), device="cpu")
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    with pytest.raises(ValueError, match="another model than the given SentenceTransformer: the"):
        MatryoshkaBackend(model).rotated(rotated.rotation)
    model.save(str(tmp_path / "saved"))
    later = MatryoshkaBackend(tmp_path / "saved", device="cpu").rotated(rotated.rotation)
    for _ in range(2):  # it is not loaded before it embeds
        with pytest.raises(ValueError, match="rotation is of another model"):
            later.embed(NEW)
    narrow = make_model(tmp_path / "narrow", width=24)
    with pytest.raises(ValueError, match=r"of a model 48 wide, but .* is 24 wide"):
        MatryoshkaBackend(narrow, device="cpu").rotated(rotated.rotation).embed(NEW)
    half = MatryoshkaBackend(folder, dtype="bfloat16", device="cpu")
    assert half.rotated(rotated.rotation).embed(NEW).shape == (3, 48)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([], ValueError, "documents is empty"),
        ("a text", TypeError, "is a single string"),
        (["a", None], TypeError, r"documents\[1\]=None"),
        (np.full((60, 48), np.nan), ValueError, "first in row 0"),
        (np.zeros((60, 48)), ValueError, "All 60 rows are zero"),
    ],
)
def test_bad_data(plain, data, error, message):
    with pytest.raises(error, match=message):
        plain.rotated(data)


# ---- what knows it


def test_pickle_recipe_and_repr(rotated):
    again = pickle.loads(pickle.dumps(rotated))
    np.testing.assert_array_equal(again.embed(NEW), rotated.embed(NEW))
    recipe = rotated.recipe()
    assert json.loads(json.dumps(recipe)) == again.recipe()
    assert recipe["rotation"]["n_rows"] == len(TEXTS)
    assert "rotation" not in rotated.rotated(None).recipe()
    assert ", rotated'" in repr(rotated)


def test_the_store_keeps_the_models_own_rows(plain, rotated, tmp_path, encoded):
    store = EmbeddingStore(tmp_path)
    np.testing.assert_allclose(store.embed(plain, NEW), plain.embed(NEW), atol=1e-6)
    expected = rotated.permuted(2).embed(NEW)
    encoded.clear()
    rows = store.embed(rotated.permuted(2).truncated(8), NEW)
    assert encoded == []
    np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_keys_tell_rotations_apart(plain, rotated):
    other = plain.rotated(TEXTS[:60])
    keys = [json.dumps(embedding_key(backend)) for backend in (plain, rotated, other)]
    assert len(set(keys)) == 3
    assert embedding_key(rotated.truncated(8)) == embedding_key(rotated)


def test_compare_dimensions(docs, full_embeddings):
    """Two topic models of one embedding model, with and without a rotation."""
    control = MatryoshkaBackend().permuted(0)
    backend = MatryoshkaBackend().rotated(full_embeddings)
    assert backend.dims == (256, 128, 64, 32)
    models = {
        name: build_topic_model(one, reduction="none")
        for name, one in {"rotated": backend, "plain": control.permuted(None)}.items()
    }
    comparison = compare_dimensions(docs[:150], models, dims=[32], seeds=1)
    names = {name: of.embedding_model for name, of in comparison.conditions.items()}
    assert names == {"rotated": "the bundled model, rotated", "plain": "the bundled model"}
    rows = comparison.embedding_models["the bundled model, rotated"].embeddings
    np.testing.assert_allclose(rows, backend.embed(docs[:150]), atol=1e-6)


# ---- an ordinary sentence-transformers model


@pytest.mark.usefixtures("no_warning")
@pytest.mark.parametrize("kind", ["normalizing", "nomic", "bundled"])
def test_saved_as_a_sentence_transformer(folder, nomic, docs, tmp_path, kind):
    name = {"normalizing": folder, "nomic": nomic, "bundled": None}[kind]
    backend = MatryoshkaBackend(name, device="cpu").rotated(docs[:300])
    backend.save_pretrained(tmp_path / "saved")
    again = MatryoshkaBackend(tmp_path / "saved", device="cpu")
    assert again.dims == backend.dims
    assert again.facts.dims_source == "config.json"
    assert again.effective_prompt == backend.effective_prompt
    assert again.facts.before_slicing is None
    model = SentenceTransformer(str(tmp_path / "saved"), device="cpu", truncate_dim=32)
    rows = model.encode(NEW, prompt_name="clustering", normalize_embeddings=True)
    expected = MatryoshkaBackend(name, device="cpu").rotated(backend.rotation).truncated(32)
    np.testing.assert_allclose(rows, expected.embed(NEW), atol=1e-5)
    np.testing.assert_allclose(again.embed(NEW), backend.embed(NEW), atol=1e-5)
    given = MatryoshkaBackend(SentenceTransformer(str(tmp_path / "saved"), device="cpu"))
    assert given.facts.before_slicing is None
    np.testing.assert_allclose(given.embed(NEW), backend.embed(NEW), atol=1e-5)


def test_the_loaded_model_does_not_change(folder, tmp_path):
    model = SentenceTransformer(folder, device="cpu", truncate_dim=16)
    before = model.encode(NEW)
    backend = MatryoshkaBackend(model).rotated(TEXTS)
    assert backend.rotation.full_dim == 48
    backend.save_pretrained(tmp_path / "saved")
    np.testing.assert_array_equal(model.encode(NEW), before)
    assert len(model) == len(SentenceTransformer(folder, device="cpu"))


def test_prompts_are_saved(tmp_path):
    prompts = {"query": "q: ", "clustering": "c: "}
    folder = make_model(tmp_path / "own", prompts=prompts)
    MatryoshkaBackend(folder, prompt=None, device="cpu").rotated(TEXTS).save_pretrained(
        tmp_path / "saved"
    )
    saved = SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    assert saved.prompts["query"] == "q: "
    assert MatryoshkaBackend(saved).effective_prompt == ""


def test_half_precision_is_saved(folder, tmp_path):
    backend = MatryoshkaBackend(folder, dtype="bfloat16", device="cpu").rotated(TEXTS)
    backend.save_pretrained(tmp_path / "saved")
    again = MatryoshkaBackend(tmp_path / "saved", device="cpu")
    np.testing.assert_allclose(again.embed(NEW), backend.embed(NEW), atol=0.03)


def test_the_card_says_how_it_was_made_and_measured(plain, rotated, nomic, tmp_path):
    prefixes = compare_prefixes(rotated.embed(TEXTS), [48, 16])
    rotated.save_pretrained(tmp_path / "one", prefixes=prefixes)
    card = (tmp_path / "one" / "README.md").read_text("utf-8")
    kept = prefixes["neighbors_kept"].iloc[1]
    assert f"singular\nvectors of {len(TEXTS)} embeddings" in card
    assert "# Rotated: plain\n" in card
    assert "base_model" not in card
    assert f"| 16 | {kept:.3f} |" in card
    assert "truncate_dim=32" in card
    assert f"| 32 | {rotated.rotation.length_kept(32):.3f} |" in card
    MatryoshkaBackend(nomic, device="cpu").rotated(TEXTS).save_pretrained(tmp_path / "two")
    card = (tmp_path / "two" / "README.md").read_text("utf-8")
    assert "\nbase_model: nomic-ai/nomic-embed-text-v1.5\n---" in card
    assert 'prompt_name="clustering"' in card
    assert "added a layer norm, the rotation, as a dense layer" in card


def test_what_cannot_be_saved(plain, rotated, tmp_path):
    with pytest.raises(ValueError, match=r"is not rotated. Save backend.rotated"):
        plain.save_pretrained(tmp_path / "new")
    with pytest.raises(ValueError, match="is a permuted control"):
        rotated.permuted(0).save_pretrained(tmp_path / "new")
    (tmp_path / "file").write_text("here")
    for there in (tmp_path, tmp_path / "file"):
        with pytest.raises(FileExistsError, match="has files in it"):
            rotated.save_pretrained(there)
    assert not (tmp_path / "new").exists()
