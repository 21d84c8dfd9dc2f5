"""Halves of characters in texts, which no file and no tokenizer of UTF-8 can hold."""

import re

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a character of UTF-16; Python's strings hold whole ones."""


def replace_lone_surrogates(texts: list[str]) -> list[int]:
    """Replace lone surrogates by U+FFFD in place; return the positions of the texts with some."""
    broken = [
        position
        for position, text in enumerate(texts)
        if not text.isascii() and LONE_SURROGATE.search(text)
    ]
    for position in broken:
        texts[position] = LONE_SURROGATE.sub("\ufffd", texts[position])
    return broken
