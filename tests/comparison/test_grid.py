"""What is compared, as a list of cells: their order, their number, their names."""

from dataclasses import replace

import pytest

from bertopic_matryoshka.comparison._grid import Line, Spec, labels_of, plan

LEIDEN = {name: ["leiden"] for name in ("variance", "pca", "umap", "none")}
VARIANCE = Line("m", "prefix", "variance", "variance", "leiden")


def planned(**changes):
    arguments = {
        "widths": {"m": 8},
        "default_dims": {
            name: [width, 2] for name, width in changes.get("widths", {"m": 8}).items()
        },
        "dims": None,
        "reductions": ["variance"],
        "criteria": ["variance"],
        "clusterings": LEIDEN,
        "seeds": [0],
        "controls": [],
        "random_control": False,
        "halves": False,
        **changes,
    }
    return plan(arguments.pop("widths"), arguments.pop("default_dims"), **arguments)


def short(specs):
    return [(s.line.model, s.dim, s.line.reduction, s.seed) for s in specs]


def test_models_then_widths_descending_then_lines_then_seeds():
    specs = planned(
        widths={"b": 8, "a": 4}, dims=[2, 4], reductions=["umap", "variance"], seeds=[1, 0]
    )
    assert short(specs) == [
        (model, dim, reduction, seed)
        for model in ("b", "a")
        for dim in (4, 2)
        for reduction in ("umap", "variance")
        for seed in (1, 0)
    ]


def test_each_cell_once():
    assert planned(dims=[4, 4, 2], reductions=["none", "none"]) == planned(
        dims=[4, 2], reductions=["none"]
    )


def test_a_reduction_has_its_own_widths():
    specs = planned(dims=[4, 2], reductions={"variance": None, "pca": [8]})
    assert short(specs) == [("m", 8, "pca", 0), ("m", 4, "variance", 0), ("m", 2, "variance", 0)]


def test_a_model_has_its_own_widths_or_its_default():
    widths = {"a": 8, "b": 8}
    assert [(m, dim) for m, dim, *_ in short(planned(widths=widths, dims={"a": [4]}))] == [
        ("a", 4),
        ("b", 8),
        ("b", 2),
    ]


def test_criteria_are_of_variance_alone():
    specs = planned(dims=[8], reductions=["pca", "variance"], criteria=["variance", "laplacian"])
    found = [(s.line.reduction, s.line.criterion) for s in specs]
    assert found == [("pca", ""), ("variance", "variance"), ("variance", "laplacian")]


def test_clusterings_of_each_reduction():
    clusterings = {"variance": ["leiden", "hdbscan"], "pca": ["hdbscan"]}
    specs = planned(dims=[8], reductions=["variance", "pca"], clusterings=clusterings)
    found = [(s.line.reduction, s.line.clustering) for s in specs]
    assert found == [("variance", "leiden"), ("variance", "hdbscan"), ("pca", "hdbscan")]


def test_a_control_has_the_first_of_everything_but_all_widths_and_seeds():
    specs = planned(
        widths={"a": 8, "control": 4},
        dims=[4, 2],
        reductions=["variance", "pca"],
        criteria=["laplacian", "variance"],
        clusterings={"variance": ["hdbscan", "leiden"], "pca": ["leiden"]},
        seeds=[0, 1],
        controls=["control"],
    )
    of_control = [s for s in specs if s.line.model == "control"]
    line = Line("control", "prefix", "variance", "laplacian", "hdbscan")
    assert of_control == [Spec(line, dim, seed) for dim in (4, 2) for seed in (0, 1)]
    assert len(specs) == 4 + 2 * 2 * (2 * 2 + 1)


def test_random_dimensions_of_the_first_model_below_its_full_width():
    specs = planned(
        widths={"a": 8, "b": 8},
        dims=[8, 4, 2],
        reductions={"variance": None, "pca": [1]},
        seeds=[0, 1],
        random_control=True,
    )
    line = Line("a", "random", "variance", "variance", "leiden")
    of_random = [s for s in specs if s.line.cut == "random"]
    assert of_random == [Spec(line, dim, seed) for dim in (4, 2) for seed in (0, 1)]
    assert {s.line for s in specs if s.line.model == "b"} == {
        Line("b", "prefix", "variance", "variance", "leiden"),
        Line("b", "prefix", "pca", "", "leiden"),
    }


def test_halves_of_the_first_seed_come_after_the_model_s_other_cells():
    specs = planned(widths={"a": 8, "b": 8}, dims=[8, 4], seeds=[3, 0], halves=True)
    found = [(s.line.model, s.part, s.dim, s.seed) for s in specs]
    assert found == [
        cell
        for model in ("a", "b")
        for cell in [
            *((model, "all", dim, seed) for dim in (8, 4) for seed in (3, 0)),
            *((model, f"{half} half", dim, 3) for dim in (8, 4) for half in ("first", "second")),
        ]
    ]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"dims": [9]},
            ValueError,
            "dims=9 must be between 1 and 8, the width of the embeddings of m",
        ),
        ({"dims": [2.5]}, TypeError, "dims=2.5 must be an int"),
        ({"dims": []}, ValueError, r"dims=\[\] names no width for 'variance'"),
        ({"reductions": {"pca": []}}, ValueError, r"dims=\[\] names no width for 'pca'"),
        ({"dims": {"n": [4]}}, ValueError, "dims names n, but the models are m"),
        ({"reductions": ["svd"]}, ValueError, "reduction='svd' must be one of"),
    ],
)
def test_bad_widths(change, error, message):
    with pytest.raises(error, match=message):
        planned(**change)


def test_a_line_is_named_by_its_reduction_where_nothing_differs():
    assert labels_of([VARIANCE, VARIANCE]) == {VARIANCE: "variance"}


@pytest.mark.parametrize(
    ("others", "names"),
    [
        # Another reduction has another criterion and clustering by itself.
        (
            [{"reduction": "umap", "criterion": "", "clustering": "hdbscan"}],
            ["variance", "umap"],
        ),
        ([{"model": "n"}], ["m", "n"]),
        ([{"criterion": "laplacian"}], ["variance", "laplacian"]),
        ([{"clustering": "hdbscan"}], ["leiden", "hdbscan"]),
        ([{"cut": "random"}], ["variance", "variance, random dims"]),
        (
            [{"model": "n"}, {"reduction": "none", "criterion": ""}],
            ["m, variance", "n, variance", "m, none"],
        ),
        (
            [{"clustering": "hdbscan"}, {"reduction": "none", "criterion": ""}],
            ["variance, leiden", "variance, hdbscan", "none, leiden"],
        ),
    ],
)
def test_lines_are_named_by_what_differs(others, names):
    lines = [VARIANCE, *(replace(VARIANCE, **other) for other in others)]
    assert labels_of(lines) == dict(zip(lines, names, strict=True))


def test_no_two_lines_have_the_same_name():
    clusterings = {name: ["leiden", "hdbscan"] for name in LEIDEN}
    specs = planned(
        widths={"a": 8, "b": 8, "control": 8},
        reductions=["variance", "pca", "none"],
        criteria=["variance", "laplacian"],
        clusterings=clusterings,
        controls=["control"],
        random_control=True,
    )
    lines = {spec.line for spec in specs}
    assert len(set(labels_of(lines).values())) == len(lines) == 2 * (2 * 2 + 2 + 2) + 2


def test_a_cell_in_words():
    assert str(Spec(VARIANCE, 64, 0)) == "64 dims, variance"
    assert str(Spec(replace(VARIANCE, cut="random"), 64, 0)) == "64 random dims, variance"
    assert str(Spec(VARIANCE, 64, 0, "first half")) == "64 dims, variance, first half"


def test_random_dimensions_need_a_seed():
    with pytest.raises(ValueError, match=r"random_state=None is none. Give random_state"):
        planned(random_control=True, seeds=[None])
