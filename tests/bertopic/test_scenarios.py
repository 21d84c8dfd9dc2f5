"""All methods of BERTopic, with our parts and with its own; docs/bertopic-methods.md is the table."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path

import pytest
from bertopic import BERTopic

from tests.bertopic import files_and_figures  # noqa: F401  (adds scenarios)
from tests.bertopic.parts import Parts
from tests.bertopic.scenarios import SCENARIOS

PAGE = Path(__file__).parents[2] / "docs" / "bertopic-methods.md"

ELSEWHERE = {
    "get_params": "scikit-learn's",
    "push_to_hf_hub": "needs the network",
    "visualize_document_datamap": "needs datamapplot",
    "visualize_topics": "calls UMAP: tests/topics/test_build.py",
}
"""Public methods that no scenario calls."""


@pytest.fixture(scope="module", params=["ours", "BERTopic's"])
def parts(request, docs, doc_labels, backend):
    return Parts(request.param, docs[::3], doc_labels[::3], backend)


@pytest.fixture(scope="module")
def by_hand(docs, doc_labels, backend):
    return Parts("by hand", docs[::3], doc_labels[::3], backend)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[s.run.__name__ for s in SCENARIOS])
def test_it_ends_as_the_table_says(scenario, parts):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of BERTopic's libraries; ours have tests of their own
        if parts.name in scenario.fails:
            with pytest.raises(scenario.fails[parts.name]):
                scenario.run(parts)
        else:
            assert scenario.run(parts)


@pytest.mark.parametrize(
    "name", ["reduce_twice", "no_outliers", "update_reduced", "transform_known", "pickled"]
)
def test_with_our_parts_in_a_bertopic_built_by_hand(name, by_hand):
    (scenario,) = (s for s in SCENARIOS if s.run.__name__ == name)
    if by_hand.name in scenario.fails:
        with pytest.raises(scenario.fails[by_hand.name]):
            scenario.run(by_hand)
    else:
        assert scenario.run(by_hand) in {"100% of the topics", "12 topics"}


def test_every_public_method_has_a_scenario():
    methods = [
        name for name, member in inspect.getmembers(BERTopic, callable) if not name.startswith("_")
    ]
    code = "".join(inspect.getsource(inspect.getmodule(s.run)) for s in SCENARIOS)
    missing = [name for name in methods if f".{name}(" not in code and name not in ELSEWHERE]
    assert missing == []


def test_every_scenario_has_a_row_in_the_docs():
    page = PAGE.read_text("utf-8")
    assert [s.method for s in SCENARIOS if f"| {s.method} |" not in page] == []
