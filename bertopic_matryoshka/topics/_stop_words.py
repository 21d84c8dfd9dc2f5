"""Words that say nothing about a topic, by language."""

from __future__ import annotations

import locale
from collections.abc import Iterable

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

MORE_ENGLISH = """
did does doing having just make quite really regarding say theirs unless used using various
ain aren couldn daren didn doesn don hadn hasn haven isn let ll ma mightn mustn needn oughtn re
shan shouldn ve wasn weren won wouldn d m o s t y
aint arent didnt doesnt dont hadnt havent heres hes im isnt itll ive mightnt mustnt neednt shant
shes shouldnt thats theres theyll theyre theyve wasnt werent weve whats wont wouldnt youd youll
youre youve
"""
"""What scikit-learn's list lacks: words of Snowball's (NLTK's) and spaCy's lists, what a vectorizer
that splits at apostrophes leaves of contractions, and contractions written without one."""

UNSPLIT = frozenset({"bn", "gu", "hi", "ja", "mr", "th", "yo", "zh"})
"""Languages that CountVectorizer does not split into words: they are written without spaces, or
with signs that its pattern takes for the end of a word."""


def get_stop_words(language: str) -> list[str]:
    """Get the words of a language that are left out of topics, as CountVectorizer splits them.

    Parameters
    ----------
    language : str
        "english", or a language of stopwordsiso: its ISO 639-1 code, such as "de", or its English
        name where Python's ``locale`` knows it, such as "german".

    Returns
    -------
    stop_words : list of str
        Lower case, sorted, each once; for ``CountVectorizer(stop_words=...)``. For more than one
        language, add the lists.

    Raises
    ------
    ValueError
        If the language is unknown.
    ImportError
        If it is not English and stopwordsiso, the extra ``languages``, is not installed.

    Notes
    -----
    English is scikit-learn's list, the words of Snowball's and spaCy's that it lacks, and what
    CountVectorizer leaves of contractions: "don", "ll", "ve". So the verb "won" goes with "won't",
    and some nouns of scikit-learn's list with it: "system", "bill", "fire", "interest". To keep
    them, take them out of the list, as below. Other languages are stopwordsiso's lists; its English
    one is not used, since it has "computer", "home", "test" and "world".

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
    """Give the words of a language, or those given, as CountVectorizer() will see them."""
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
    if not isinstance(stop_words, Iterable):
        raise TypeError(f"stop_words={stop_words!r} must be a language, words, or None.")
    words = list(stop_words)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"stop_words has {word!r} in it, which is no str. Give words only.")
    return _as_split(words)


def _as_split(words: Iterable[str]) -> list[str]:
    """Add the pieces: a vectorizer compares what it has split, "aujourd" and "hui"."""
    split = CountVectorizer().build_analyzer()
    return sorted({piece for word in words for piece in (word.lower(), *split(word))})


def _language_code(language: str) -> str:
    """Return the code of a language that is given by its code or English name."""
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
