"""Documents, or tokens -> word ids, a chunk of the corpus at a time."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sized
from collections.abc import Set as AbstractSet
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bertopic_matryoshka._constraints import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

CHUNK_DOCUMENTS = 2**14
"""Documents that are tokenised at a time."""


TOKENISED = 100
"""Number of documents whose tokens are part of the digest."""


class Chunk(NamedTuple):
    """Consecutive documents: the ids of their tokens, one after the other, and their lengths."""

    ids: NDArray[np.int32]
    lengths: NDArray[np.int64]


class Tokens:
    """A corpus as word ids, tokenised once and held in memory, or read again for each pass.

    Parameters
    ----------
    documents : iterable of str, or of sequences of str
        Documents, or their tokens. A list, an array or an iterator is tokenised once, and the ids
        are held in memory, 4 bytes per token. Any other iterable, such as an object that reads a
        file, is read again for each pass and not held; it must be re-iterable.
    analyzer : callable
        Splits a document, a str, into tokens.

    Raises
    ------
    TypeError
        If `documents` is one string, or an item is neither a string nor a sequence of strings; the
        message gives its position.
    """

    def __init__(
        self,
        documents: Iterable[str] | Iterable[Sequence[str]],
        analyzer: Callable[[str], Sequence[str]],
    ) -> None:
        no_list = isinstance(documents, (str, bytes, Mapping, AbstractSet))
        is_table = hasattr(documents, "columns") or getattr(documents, "ndim", 1) == 0
        if no_list or is_table or not isinstance(documents, Iterable):
            raise TypeError(
                f"documents={shown(documents)} must be an iterable of strings, or of lists of "
                'tokens. Of a frame, pass one column, such as frame["text"].'
            )
        self._documents = documents
        self._analyzer = analyzer
        self._held: list[Chunk] | None = None
        self._digest: str | None = None
        self._vocabulary: defaultdict[str, int] = defaultdict()
        self._vocabulary.default_factory = self._vocabulary.__len__

    def chunks(self, words: Mapping[str, int]) -> Iterator[Chunk]:
        """Iterate over the corpus with the ids in `words`; other tokens have the id -1."""
        if self._held is None and isinstance(self._documents, (Sized, Iterator)):
            self._held = list(self._read(lambda tokens: map(self._vocabulary.__getitem__, tokens)))
            self._documents = ()  # an iterator is exhausted, and a list is not needed again
        if self._held is None:
            yield from self._read(lambda tokens: map(words.get, tokens, repeat(-1)))
            return
        ids = np.full(len(self._vocabulary) + 1, -1, dtype=np.int32)
        for word, number in words.items():
            ids[self._vocabulary.get(word, -1)] = number
        ids[-1] = -1  # words that are not in the corpus were written here
        for chunk in self._held:
            yield Chunk(ids[chunk.ids], chunk.lengths)

    def seen(self, words: Iterable[str]) -> set[str]:
        """Get those of `words` that occur in the corpus."""
        distinct = list(dict.fromkeys(words))
        there = np.zeros(len(distinct) + 1, dtype=bool)  # the last is for -1
        for chunk in self.chunks({word: i for i, word in enumerate(distinct)}):
            there[chunk.ids] = True
        return {word for word, is_there in zip(distinct, there[:-1], strict=True) if is_there}

    def digest(self) -> str:
        """Hash the documents, in order, and the tokens of the first ones.

        Documents that are read anew for each pass are read once for it.
        """
        if self._digest is None and self._held is None and isinstance(self._documents, Iterator):
            for _ in self.chunks({}):  # holds them
                pass
        if self._digest is None:
            hashing = _Digest()
            for position, item in enumerate(self._documents):
                has_tokens = not isinstance(item, str) or position >= TOKENISED
                hashing.add(item, () if has_tokens else self._analyzer(str(item)))
            self._digest = hashing.hexdigest()
        return self._digest

    def _read(self, numbered: Callable[[Iterable[str]], Iterable[int]]) -> Iterator[Chunk]:
        documents, position, hashing = iter(self._documents), 0, _Digest()
        while taken := list(islice(documents, CHUNK_DOCUMENTS)):
            tokens = [self._analyzer(item) if isinstance(item, str) else item for item in taken]
            _check(tokens, position)
            for item, of_item in zip(taken, tokens, strict=True):
                hashing.add(item, of_item)
            position += len(taken)
            lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
            flat = numbered(chain.from_iterable(tokens))
            yield Chunk(np.fromiter(flat, dtype=np.int32, count=int(lengths.sum())), lengths)
        self._digest = hashing.hexdigest()


class _Digest:
    """Digest of documents, and of the tokens of the first ones, which tell vectorizers apart."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._n_documents = 0

    def add(self, item: str | Sequence[str], tokens: Sequence[str]) -> None:
        """Add a document and its tokens, which are ignored after the first documents."""
        texts = [item] if isinstance(item, str) else list(item)
        if isinstance(item, str) and self._n_documents < TOKENISED:
            texts += tokens
        self._n_documents += 1
        for text in texts:
            encoded = str(text).encode("utf-8", "surrogatepass")
            self._hash.update(b"%d " % len(encoded) + encoded)
        self._hash.update(b"\n")

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _check(tokens: list[Sequence[str]], first: int) -> None:
    """Check that items are sequences that start with a string; the first is at position `first`."""
    for position, item in enumerate(tokens, first):
        if not isinstance(item, (list, tuple, np.ndarray)) or (
            len(item) and not isinstance(item[0], str)
        ):
            raise TypeError(
                f"documents[{position}]={item!r:.80} is of type {type(item).__name__} and must be "
                "a string, or a list of strings, its tokens. Remove it, or replace it by an empty "
                "one."
            )
