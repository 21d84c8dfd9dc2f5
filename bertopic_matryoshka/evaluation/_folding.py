"""Words -> the form that near duplicates share: case, hyphens and English plurals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARKS = str.maketrans("", "", "-_'\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{RIGHT SINGLE QUOTATION MARK}")
"""Characters that do not tell words apart; for str.translate."""

NO_PLURALS = frozenset({"news"})
"""Words that look like the plural of another word but have a meaning of their own."""

SHORTEST = 3
"""Fewest letters of a singular."""


def folded_forms(words: Iterable[str]) -> dict[str, str]:
    """Map each word to a form that its near duplicates among the words share.

    Near duplicates differ in case, hyphens, underscores or apostrophes, or in the ending of an
    English plural. A plural is folded only if its singular is among the words: the ending alone
    would also match words that are no plurals, and words of other languages.

    Parameters
    ----------
    words : iterable of str

    Returns
    -------
    forms : dict of str to str
        Does not depend on the order of the words.

    Examples
    --------
    >>> folded_forms(["game", "Games", "e-mail", "email", "gas"])
    {'game': 'game', 'Games': 'game', 'e-mail': 'email', 'email': 'email', 'gas': 'gas'}
    """
    plain = {word: word.casefold().translate(MARKS) or word for word in words}
    known = {form for form in plain.values() if len(form) >= SHORTEST}
    return {word: _singular(form, known) for word, form in plain.items()}


def _singular(form: str, known: set[str]) -> str:
    """Return the singular of a form if it is known, else the form."""
    while found := next((single for single in _singulars(form) if single in known), None):
        form = found
    return form


def _singulars(form: str) -> Iterator[str]:
    """Give the words of which a form may be the plural."""
    if form in NO_PLURALS or form.endswith("ss") or not form.endswith("s"):
        return
    if form.endswith("ies"):
        yield form[:-3] + "y"
    if form.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        yield form[:-2]
    yield form[:-1]
