"""What tells widths apart, side by side, and what becomes of topics: tables as plain values."""

import math

import numpy as np
import pytest
from made_runs import (
    MODEL,
    NAN,
    make_comparison,
    make_condition,
    make_model,
    make_replicates,
    make_run,
)

from bertopic_matryoshka.report import results, surviving_topics, sweeps_of
from bertopic_matryoshka.report._tables import further_measurements

EXACT = np.zeros(10)
"""Bootstrap resamples that do not vary."""
DASH = "\N{EN DASH}"


def rows(group):
    """Give the rows with the spaces that every keyboard has."""
    return [[text.replace("\N{NO-BREAK SPACE}", " ") for text in row] for row in group["rows"]]


def texts(table):
    return [heading["text"] for heading in table["headings"]]


def test_a_width_has_quality_neighbours_and_cost_beside_each_other():
    # Standard error of the mean of two seeds that differ by .04: .04 / 2.
    seeds = {"ami": 0.5, "coherence_resamples": EXACT}
    comparison = make_comparison(
        make_run(8, coherence=0.08, **seeds),
        make_run(8, coherence=0.12, seed=1, **seeds),
        make_run(4, coherence=0.10, document_topics=[0, 0, 1, 1, 2, 2], **seeds),
        make_run(4, coherence=0.14, seed=1, document_topics=[0, 0, 1, 1, -1, -1], **seeds),
    )
    table = results(comparison)
    assert texts(table) == [
        *("dimensions", "coherence", "neighbours kept", "AMI", "topics", "outliers"),
        *("fit", "embeddings"),
    ]
    assert table["headings"][1]["unit"] == "c_v ± standard error"
    (group,) = table["groups"]
    assert rows(group) == [
        ["8", "0.100 ± 0.020", "100%", "0.500", "2", "17%", "1.75", "0.000192"],
        ["4", "0.120 ± 0.020", "80%", "0.500", "2.5", "17%", "1.75", "9.6e-05"],
    ]


def test_agreement_has_its_lower_bound_rounded_down():
    runs = [make_run(dim) for dim in (8, 4, 2, 1)]
    replicates = [
        *make_replicates(8),
        *(of for dim in (4, 2, 1) for of in make_replicates(dim, noise=0.06 * dim)),
    ]
    comparison = make_comparison(*runs, replicates=replicates)
    table = results(comparison)
    assert texts(table)[1] == "topic agreement"
    bounds = [comparison.agreements()[dim].all for dim in (8, 4, 2, 1)]
    at_least = [math.floor(100 * of.low + 1e-9) for of in bounds]
    assert at_least != [round(100 * of.low) for of in bounds]
    assert [row[1] for row in rows(table["groups"][0])] == [
        f"{of.agreement:.0%} (≥ {low}%)" for of, low in zip(bounds, at_least, strict=True)
    ]


def test_seconds_are_those_of_the_first_seed():
    stages = (
        *("reduce_seconds", "graph_seconds", "cluster_seconds"),
        *("represent_seconds", "evaluate_seconds"),
    )
    comparison = make_comparison(
        make_run(8, **dict.fromkeys(stages, 2.0)),
        make_run(8, seed=1, **dict.fromkeys(stages, 0.5)),
    )
    assert results(comparison)["groups"][0]["rows"][0][-2] == "8.00"
    assert further_measurements(comparison)[-1]["groups"][0]["rows"][0][1:] == ["2.00"] * 5


def test_what_was_not_measured_has_no_column():
    comparison = make_comparison(make_run(8))
    assert "AMI" not in texts(results(comparison))
    topics, agreement, _ = further_measurements(comparison)
    assert texts(topics)[1:] == ["diversity", "inverted RBO", "balance"]
    assert texts(agreement)[1:] == ["trustworthiness", "similarities"]


def test_seeds_halves_and_labels_are_measured_further():
    agreed = {"ami": 0.5, "ari": 0.25, "v_measure": 0.75}
    runs = [make_run(8, seed=seed, **agreed) for seed in (3, 4)]
    halves = [make_run(8, part=part, seed=3) for part in ("first half", "second half")]
    topics, agreement, _ = further_measurements(make_comparison(*runs, half_runs=halves))
    assert topics["groups"][0]["rows"][0][-2:] == ["0.250", "0.750"]
    assert agreement["groups"][0]["rows"] == [["8", *["1.000"] * 5]]


def test_a_width_without_topics_has_dashes():
    runs = [make_run(8), make_run(4, coherence=NAN, document_topics=[-1] * 6)]
    (group,) = results(make_comparison(*runs))["groups"]
    assert group["rows"][1][1] == DASH
    nothing = make_comparison(make_run(8, coherence=NAN, document_topics=[-1] * 6))
    assert "coherence" not in texts(results(nothing))


def test_controls_are_groups_of_their_own():
    comparison = make_comparison(
        make_run(8),
        make_run(4, "permuted"),
        conditions={"permuted": make_condition(is_permuted=True)},
        controls=("permuted",),
    )
    own, control = results(comparison)["groups"]
    assert [own["title"], own["is_control"]] == ["selection", False]
    assert [control["title"], control["is_control"]] == ["permuted", True]
    assert rows(control)[0][:3] == ["4", "0.100 ± 0.022", DASH]  # whose neighbours are not asked


# ---- topics across widths

# Topic 5 keeps 3 of its 4 documents as topic 0, topic 3 becomes topic 1, topic 4 dissolves.
FULL = [5, 5, 5, 3, 3, 3, 3, -1, -1, 4, 4]
NARROW = [0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1]


def survival(*runs):
    (sweep,) = sweeps_of(make_comparison(*runs))
    return surviving_topics(sweep)


def test_topics_are_followed_to_narrower_widths():
    found = survival(
        make_run(8, document_topics=FULL),
        make_run(4, document_topics=NARROW),
        make_run(2, document_topics=FULL),
    )
    assert (found["dim"], found["columns"]) == (8, ["4", "2"])
    assert found["rows"] == [
        ("cat, dog, word3", 4, [0.75, 1.0]),
        ("cat, dog, word5", 3, [0.75, 1.0]),
        ("cat, dog, word4", 2, [None, 1.0]),
    ]


def test_another_seed_at_the_widest_is_the_yardstick():
    found = survival(
        make_run(8, document_topics=FULL, seed=7),
        make_run(8, document_topics=NARROW, seed=9),
        make_run(4, document_topics=FULL, seed=7),
        make_run(4, document_topics=NARROW, seed=9),
    )
    assert found["columns"] == ["8, seed 9", "4"]
    assert [shares for _, _, shares in found["rows"]] == [[0.75, 1.0], [0.75, 1.0], [None, 1.0]]


def test_the_ten_largest_topics_are_followed():
    many = np.repeat(np.arange(12), 3)
    found = survival(make_run(8, document_topics=many), make_run(4, document_topics=many))
    assert [shares for _, _, shares in found["rows"]] == [[1.0]] * 10


@pytest.mark.parametrize("n_seeds", [1, 2])
def test_a_single_width_is_compared_with_nothing_but_seeds(n_seeds):
    runs = [make_run(8, seed=seed) for seed in range(n_seeds)]
    assert survival(*runs)["columns"] == ["8, seed 1"][: n_seeds - 1]


def test_the_size_of_embeddings_is_that_of_float32():
    model = make_model(256, n_documents=1500)
    comparison = make_comparison(make_run(256), n_documents=1500, embedding_models={MODEL: model})
    assert results(comparison)["groups"][0]["rows"][0][-1] == "1.54"
