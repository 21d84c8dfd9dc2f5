"""Stop words by language."""

from __future__ import annotations

import locale
from typing import TYPE_CHECKING

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

from bertopic_matryoshka._constraints import check_each, instance

if TYPE_CHECKING:
    from collections.abc import Iterable

MORE_ENGLISH = """
did does doing having just make quite really regarding say theirs unless used using various
ain aren couldn daren didn doesn don hadn hasn haven isn let ll ma mightn mustn needn oughtn re
shan shouldn ve wasn weren won wouldn d m o s t y
aint arent didnt doesnt dont hadnt havent heres hes im isnt itll ive mightnt mustnt neednt shant
shes shouldnt thats theres theyll theyre theyve wasnt werent weve whats wont wouldnt youd youll
youre youve
"""
"""Words missing from scikit-learn's list: those of Snowball's (NLTK's) and spaCy's lists, fragments
of contractions after splitting at apostrophes, and contractions written without one."""

UNSPLIT = frozenset({"bn", "gu", "hi", "ja", "mr", "th", "yo", "zh"})
"""Languages that CountVectorizer does not split into words: they are written without spaces, or
with marks that its pattern treats as word boundaries."""


def get_stop_words(language: str) -> list[str]:
    """Get the stop words of a language, tokenised as CountVectorizer tokenises documents.

    Parameters
    ----------
    language : str
        "english", or a language of stopwordsiso: its ISO 639-1 code, such as "de", or its English
        name if Python's ``locale`` knows it, such as "german".

    Returns
    -------
    stop_words : list of str
        Lower case, sorted, without duplicates; for ``CountVectorizer(stop_words=...)``. For several
        languages, add the lists.

    Raises
    ------
    TypeError
        If `language` is not a str.
    ValueError
        If the language is unknown.
    ImportError
        If the language is not English and stopwordsiso (extra ``languages``) is not installed.

    Notes
    -----
    The English list is scikit-learn's, with the missing words of Snowball's and spaCy's lists and
    the fragments of contractions that CountVectorizer produces: "don", "ll", "ve". So it has the
    verb "won", from "won't", and some nouns of scikit-learn's list: "system", "bill", "fire",
    "interest". To keep such words in topics, remove them from the list, as below. Other languages
    use stopwordsiso's lists; its English one is not used, since it has "computer", "home", "test"
    and "world".

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from bertopic_matryoshka import get_stop_words
    >>> stop_words = get_stop_words("english")
    >>> "the" in stop_words, "didn" in stop_words, "market" in stop_words
    (True, True, False)
    >>> vectorizer = CountVectorizer(stop_words=[w for w in stop_words if w != "system"])
    """
    code = _language_code(language)
    if code == "en":
        return sorted({*ENGLISH_STOP_WORDS, *MORE_ENGLISH.split()})
    return _as_split(_of_other_language(language, code))


def check_stop_words(stop_words: str | Iterable[str] | None) -> list[str] | None:
    """Get the stop words of a language, or tokenise a list as CountVectorizer() does."""
    if stop_words is None:
        return None
    if isinstance(stop_words, str):
        if _language_code(stop_words) in UNSPLIT:
            raise ValueError(
                f"stop_words={stop_words!r}: CountVectorizer does not split this language into "
                "words. Pass vectorizer_model=CountVectorizer(tokenizer=..., token_pattern=None, "
                f"stop_words=get_stop_words({stop_words!r}))."
            )
        return get_stop_words(stop_words)
    word = instance(str, words="a word", remedy="Give a language, words, or None.")
    return _as_split(check_each(stop_words, word, "stop_words", may_be_empty=True))


def _as_split(words: Iterable[str]) -> list[str]:
    """Add the tokens of each word: a vectorizer compares tokens, such as "aujourd" and "hui"."""
    split = CountVectorizer().build_analyzer()
    return sorted({piece for word in words for piece in (word.lower(), *split(word))})


def _language_code(language: str) -> str:
    """Return the code of a language from its code or English name."""
    if not isinstance(language, str):
        raise TypeError(
            f"language={language!r} must be the name or code of one language. For several, add "
            "the lists."
        )
    return locale.normalize(language).partition("_")[0].lower()  # "german" -> "de_DE.ISO8859-1"


def _of_other_language(language: str, code: str) -> set[str]:
    try:
        from stopwordsiso import langs, stopwords
    except ImportError as error:
        raise ImportError(
            f"The stop words of language={language!r} need stopwordsiso: pip install stopwordsiso, "
            'or the extra "languages". English needs nothing.'
        ) from error
    if code not in langs():
        raise ValueError(
            f"language={language!r} has no list of stop words. Pass english, one of "
            f"{', '.join(sorted(langs()))}, or a list of words."
        )
    return set(stopwords(code))
