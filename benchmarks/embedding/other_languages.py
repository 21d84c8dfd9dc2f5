r"""The bundled model's warning of texts in other languages: false alarms and misses by language.

    python -m benchmarks.embedding.other_languages --corpora FOLDER --translations FILE... \
        --catalogues FOLDER

English texts are AG News, BBC News and StackOverflow titles (FOLDER/ag.parquet and so on, with a
column text), docstrings, and Debian's package descriptions, whole and their first six words. Texts
of other languages are the translations of these descriptions, the files Translation-de and so on
that `apt-get update` keeps in its lists (Acquire::Languages), and messages of Django, of which
--catalogues is an installed or unpacked package with its .mo files; its English ones are msgids.

"known" is the mean share of a text's words that are in the vocabulary, "below" the share of texts
that the rule counts as unknown. The rest are shares of 1,000 random draws of 20, 50 and 200 texts
that are warned of: false alarms for English, and 1 minus the misses for the others.
"""

from __future__ import annotations

import argparse
import gettext
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.corpus import machine
from benchmarks.topics.first_lines import print_rows
from bertopic_matryoshka import MatryoshkaBackend
from bertopic_matryoshka.cli.demo import load_docstrings
from bertopic_matryoshka.embedding._other_languages import (
    KNOWN_WORDS,
    N_CHARACTERS,
    in_another_language,
    known_shares,
)

MAX_TEXTS = 500
DRAWS, SIZES = 1000, (20, 50, 200)
FEWEST = 50  # texts of a language


def read_descriptions(path: Path, code: str) -> list[str]:
    """Read a Translation file of apt that is not compressed."""
    found = re.findall(
        rf"^Description-{code}: (.*(?:\n .*)*)", path.read_text("utf-8"), re.MULTILINE
    )
    return [" ".join(text.replace("\n .\n", "\n").split()) for text in found]


def read_messages(folder: Path) -> dict[str, list[str]]:
    """Read catalogues: sentences by language, without markup and the names of variables."""
    texts = defaultdict(list)
    for path in sorted(folder.rglob("LC_MESSAGES/*.mo")):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog  # noqa: SLF001
        for source, message in catalogue.items():
            source = source[0] if isinstance(source, tuple) else source  # noqa: PLW2901  (plurals)
            for code, text in (("en", source), (path.parent.parent.name, message)):
                plain = re.sub(r"<[^>]*>|%\(\w+\)s|%\w|\{\w*\}|&\w+;", " ", text)
                if len(source.split()) >= 5 and len(source) < 300:
                    texts[code].append(" ".join(plain.split()))
    return texts


def drawn(texts: list[str], n: int) -> list[str]:
    if len(texts) <= n:
        return texts
    chosen = np.random.default_rng(0).choice(len(texts), n, replace=False)
    return [texts[i] for i in np.sort(chosen)]


def measure(kind: str, texts: list[str], tokenizer: object) -> list[object]:
    texts = drawn(list(dict.fromkeys(texts)), MAX_TEXTS)
    shares = known_shares([text[:N_CHARACTERS] for text in texts], tokenizer)
    shares = shares[~np.isnan(shares)]
    row = [kind, f"{shares.size:,}", f"{np.mean(shares):.2f}"]
    row.append(f"{np.mean(shares < KNOWN_WORDS):.3f}")
    rng = np.random.default_rng(0)
    for size in SIZES:
        draws = [
            rng.choice(shares, size, replace=False) for _ in range(DRAWS * (size <= len(shares)))
        ]
        row.append(f"{np.mean([in_another_language(draw) for draw in draws]):.3f}" if draws else "")
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--translations", type=Path, nargs="+", required=True)
    parser.add_argument("--catalogues", type=Path, required=True)
    args = parser.parse_args()
    tokenizer = MatryoshkaBackend().embedding_model[0].tokenizer
    texts = {
        f"en, {name}": pd.read_parquet(args.corpora / f"{name}.parquet")["text"].tolist()
        for name in ("ag", "bbc", "so")
    }
    texts["en, docstrings"] = load_docstrings(("scipy", "sklearn")).texts
    for path in args.translations:
        code = re.search(r"Translation-(\w+)", path.name.replace("%5f", "_"))[1]
        descriptions = read_descriptions(path, code)
        texts[f"{code}, descriptions"] = descriptions
        texts[f"{code}, six words"] = [" ".join(text.split()[:6]) for text in descriptions]
    seen = {kind.partition(",")[0] for kind in texts} - {"en"}
    for code, messages in read_messages(args.catalogues).items():
        if code not in seen:
            texts[f"{code}, messages"] = messages
    rows = [
        measure(kind, texts[kind], tokenizer)
        for kind in sorted(texts, key=lambda kind: (not kind.startswith("en,"), kind))
        if len(set(texts[kind])) >= FEWEST
    ]
    header = ["language, texts", "n", "known", "below", *(f"of {size}" for size in SIZES)]
    print_rows(header, rows)
    print(f"\n{machine(('tokenizers',))}")


if __name__ == "__main__":
    main()
