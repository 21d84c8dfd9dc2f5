"""Near duplicates among words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertopic_matryoshka.evaluation import folded_forms

WORDS = st.lists(st.text("aesyxc-S", min_size=0, max_size=7), max_size=15)


def groups(words):
    """Give the groups of words that have a form in common."""
    forms = folded_forms(words)
    return {frozenset(w for w in words if forms[w] == form) for form in forms.values()}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("game", "games"),
        ("company", "companies"),
        ("movie", "movies"),
        ("box", "boxes"),
        ("class", "classes"),
        ("church", "churches"),
        ("potato", "potatoes"),
        ("Apple", "apple"),
        ("e-mail", "email"),
        ("state_dict", "statedict"),
        ("don\u2019t", "dont"),
        ("prime minister", "Prime ministers"),
        ("stra\u00dfe", "STRASSE"),
        ("\u043c\u043e\u0441\u043a\u0432\u0430", "\u041c\u043e\u0441\u043a\u0432\u0430"),
        ("maison", "maisons"),
    ],
)
def test_near_duplicates(one, other):
    assert groups([one, other]) == {frozenset({one, other})}


@pytest.mark.parametrize(
    "words",
    [
        ["new", "news"],
        ["clas", "class"],
        ["u", "us"],
        ["plan", "planes"],
        ["general", "generous"],
        ["c", "c++", "c#"],
        ["minister", "prime minister"],
        ["\u0915\u0932", "\u0915\u093e\u0932"],  # vowel signs are no marks to leave out
    ],
)
def test_words_of_their_own(words):
    assert groups(words) == {frozenset({word}) for word in words}


def test_a_plural_alone_keeps_its_form():
    assert folded_forms(["games", "sky"]) == {"games": "games", "sky": "sky"}
    assert folded_forms(["Games", "game"]) == {"Games": "game", "game": "game"}
    assert folded_forms(["-", ""]) == {"-": "-", "": ""}


@given(WORDS, st.randoms(use_true_random=False))
def test_forms_do_not_depend_on_the_order(words, random):
    forms = folded_forms(words)
    assert set(forms) == set(words)
    shuffled = random.sample(words, len(words))
    assert folded_forms(shuffled) == forms


@given(WORDS)
def test_forms_stay_as_they_are(words):
    forms = set(folded_forms(words).values())
    assert folded_forms(forms) == {form: form for form in forms}
