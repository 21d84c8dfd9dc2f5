"""What the command line prints of a comparison."""

import numpy as np
import pytest
from made_runs import MODEL, make_comparison, make_condition, make_model, make_run

from bertopic_matryoshka.cli._terminal import console, print_comparison

TOPICS = np.repeat([0, 1, 2], 20)
WORDS = ("decomposition", "eigenvalues", "[red]matrix[/]", "regularisation", "sparse", "vectors")


def measured(seed):
    """Give two seeds that differ by .04, so that the standard error of their mean is .02."""
    return {"coherence": 0.08 + 0.04 * seed, "coherence_resamples": np.zeros(10), "ami": 0.3}


@pytest.fixture
def printed():
    """Print a comparison on a terminal of 80 columns, and give the lines."""

    def call(comparison):
        width, console.width = console.width, 80
        try:
            with console.capture() as capture:
                print_comparison(comparison)
        finally:
            console.width = width
        return capture.get().splitlines()

    return call


@pytest.fixture
def comparison():
    names = ("selection + Leiden", "permuted")
    runs = [
        make_run(dim, name, seed=seed, words=WORDS, document_topics=TOPICS, **measured(seed))
        for name in names
        for dim in (256, 128, 64, 32)
        for seed in (0, 1)
    ]
    return make_comparison(
        *runs,
        conditions={"permuted": make_condition(is_permuted=True)},
        controls=("permuted",),
        n_documents=60,
        documents=["text"] * 60,
        embedding_models={MODEL: make_model(256, n_documents=60)},
    )


def test_widths_are_beside_each_other_and_controls_named(printed, comparison):
    lines = printed(comparison)
    start = lines.index("selection + Leiden")
    assert lines[start + 1].split() == [
        *("256", "0.100", "±", "0.020", "100%", "0.300", "3", "0%", "1.75", "0.0614")
    ]
    assert lines[start + 5] == "permuted (control)"
    assert lines[start + 6].split()[4] == "\N{EN DASH}"  # whose neighbours are not asked
    assert {len(line) for line in lines[start + 1 : start + 5]} == {len(lines[start - 1])}
    answer = lines.index("Too few data or seeds to tell: keep all 256 dimensions.")
    assert answer < start
    assert lines[answer + 1].startswith("  Topics kept: 3 of 3 topics survive at 128")


def test_topics_and_what_becomes_of_them_fit_a_terminal(printed, comparison):
    lines = printed(comparison)
    start = next(i for i, line in enumerate(lines) if "largest topics at 256 dim" in line)
    table = lines[start : start + 12]
    assert max(map(len, table)) <= 80
    heading = next(line for line in table if "topic  " in line).split()
    assert heading == ["topic", "docs", "256,", "seed", "1", "128", "64", "32"]
    row = next(line for line in table if "decomposition" in line)
    assert row.split()[-5:] == ["20", "100%", "100%", "100%", "100%"]
    assert "[red]matrix[/]" in "".join(table)
