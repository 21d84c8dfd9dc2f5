"""Corpora that are read again and again, and their windows counted one by one."""


class Stream:
    """What can be read again and again, and has no length."""

    def __init__(self, documents):
        self.documents, self.walks = documents, 0

    def __iter__(self):
        self.walks += 1
        return iter(self.documents)


def slid(corpus, size):
    """The words in each window of each document, a token leaving and one entering at a time."""
    seen = []
    for document in corpus:
        n = len(document) if size is None else size
        words = set(document[:n])
        seen.append(words - {-1})
        for leaves, enters in zip(document, document[n:], strict=False):
            words = (words - {leaves}) | {enters}
            seen.append(words - {-1})
    return seen
