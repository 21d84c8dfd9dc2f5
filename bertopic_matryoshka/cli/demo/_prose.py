"""A docstring -> the prose of its summary and description."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


_SECTION_NAMES = (
    "args?|arguments?|parameters?|params?|(?:keyword|other) (?:args|arguments|parameters)|kwargs"
    "|returns?|yields?|raises?|warns|receives|attributes?|methods|properties|see also|references?"
    "|examples?(?: usage)?|usage|sample|shapes?|inputs?|outputs?|notes?|warnings?|todo"
    "|version ?added|signature"
)
_SECTION = re.compile(rf"[\s*#_`]*(?:{_SECTION_NAMES})(?:\s*\(.*\))?\W*:{{0,2}}\W*", re.IGNORECASE)
_UNDERLINE = re.compile(r"\s*([-=~^*#+])\1{2,}\s*")
_DIRECTIVE = re.compile(r"(\s*)\.\.(?:\s+|$)(?:([\w-]+)::)?(.*)")
_PROSE_DIRECTIVES = {"note", "warning", "tip", "important", "caution", "attention", "hint"}
_FIELD = re.compile(
    r"\s*:(?:param|type|returns?|rtype|raises?|arg|keyword|ivar|var)\b.*"
    r"|\W*(?:args?|arguments|parameters|returns?|raises|examples?|inputs?|outputs?)\s*:.*"
    r"|[\s`*+-]*\w+[`*]*\s*\((?:[^()]|\([^()]*\))*\)\s*:.*",  # size (`int`, *optional*): ...
    re.IGNORECASE,
)
_FENCE = re.compile(r"\s*(```|~~~)")
_TABLE = re.compile(r"\s*(\||\+[-=]|=+\s+=|-+\s+-).*")
# numpy writes a signature twice, with a line of dashes between
_SIGNATURE = re.compile(
    r"\A(?:(?:[\w.]+(?:\((?:[^()]|\([^()]*\))*\)|\[[^]]*\])(?:\s*->[^\n]*)?|--)\s*(?:\n|\Z))+"
)


def clean_docstring(docstring: str) -> str:
    """Reduce a docstring to the prose of its summary and description.

    Parameters
    ----------
    docstring : str
        In numpydoc, Google or reStructuredText style, or in the Markdown of transformers.

    Returns
    -------
    prose : str
        One line without signature, sections, code, mathematics, links and markup; may be empty.
    """
    lines = _drop_blocks(_before_sections(cleandoc(docstring).splitlines()))
    text = _SIGNATURE.sub("", "\n".join(lines).strip())
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return (
        re.sub(r"\s+([.,;:!?)])", r"\1", " ".join(text.split())).replace("::", ":").strip(" :;,-")
    )


def _before_sections(lines: list[str]) -> list[str]:
    """Keep the lines before the first section: "Parameters", "Args:", "Example::", ":param x:"."""
    for i, line in enumerate(lines):
        underlined = i + 1 < len(lines) and _UNDERLINE.fullmatch(lines[i + 1]) and line.strip()
        if underlined or _SECTION.fullmatch(line) or _FIELD.fullmatch(line):
            return lines[:i]
    return lines


def _drop_blocks(lines: list[str]) -> list[str]:
    """Drop doctests, code, tables and directives; a note keeps its body."""
    kept: list[str] = []
    block_indent: int | None = None  # a block ends at the next line indented no deeper than this
    fenced = doctest = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if _FENCE.match(line):
            fenced = not fenced
            continue
        doctest = bool(line.strip()) and (doctest or line.lstrip().startswith((">>>", "In [")))
        if block_indent is not None and line.strip() and indent <= block_indent:
            block_indent = None
        if fenced or doctest or block_indent is not None or _TABLE.match(line):
            continue
        if directive := _DIRECTIVE.match(line):
            if directive[2] not in _PROSE_DIRECTIVES:
                block_indent = indent
                continue
            kept.append(directive[3])
        elif line.rstrip().endswith("::"):
            block_indent = indent
            kept.append(line.rstrip()[:-1])
        else:
            kept.append(line)
    return kept


def _literal(match: re.Match[str]) -> str:
    """Keep a name, a value or a short phrase that was marked as code; drop an expression."""
    code = match[1].strip().split("~")[-1]
    return code if re.fullmatch(r"[\w.,'\" =/+()\[\]-]{1,60}", code) else " "


_INLINE: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(r":math:`[^`]*`|\$\$?[^$]+\$\$?|\\\(.*?\\\)|\\\[.*?\\\]", re.DOTALL), " "),
    (re.compile(r"!?\[([^\]]*)\]\((?:https?:|\.|/|#)[^)]*\)"), r"\1"),  # Markdown link
    (re.compile(r":(?:ref|doc):`([^`<>]*)`"), lambda match: re.sub(r"[-_]+", " ", match[1])),
    (re.compile(r"(?::[\w+.-]+)+:`(?:~(?:\w+\.)*|!)?([^`<]*?)\s*(?:<[^`]*>)?`"), r"`\1`"),  # role
    (re.compile(r"`([^`<]+?)\s*<[^`>]*>`_{0,2}"), r"\1"),  # link with its target
    (re.compile(r"<?https?://[^\s>)]+>?|</?[A-Za-z][^<>]*>"), " "),
    (re.compile(r"\[(?:\d+|[A-Z]\w*\d+)\]_|\[\^?\d+\]|\|\w+\|_*"), " "),  # footnote, substitution
    (re.compile(r"\[`+([^`]*)`+\]"), r"`\1`"),  # transformers' cross-reference
    (re.compile(r"``([^`]+)``_{0,2}"), _literal),
    (re.compile(r"`([^`]+)`_{0,2}"), _literal),
    (re.compile(r"%\(\w+\)[sdrf]|\{+[\w!:.]*\}+"), " "),  # placeholder
    (re.compile(r"\*{1,2}(\S(?:[^*\n]*\S)?)\*{1,2}"), r"\1"),  # emphasis
    (re.compile(r"^\s*(?:[-*+•#]+|\(?\w[.)])\s+", re.MULTILINE), " "),  # bullet, heading
    (re.compile(r"\S*\\\S*|[`*|$<>{}~^]+|[-=]{2,}"), " "),  # what is left of markup
    (re.compile(r"(?<!\w)_{2,}|_{2,}(?!\w)"), ""),  # __init__
    (re.compile(r"(?<!\S)[/\[\]]+(?!\S)"), " "),  # strokes of a drawing
    (re.compile(r"\A\s*[\w.]+(?:\[[^\n]*\])?:\s+(?=[A-Z])"), ""),  # type of a property
    (re.compile(r"\(\s*[,;.]*\s*\)|\[\s*\]"), " "),  # brackets that came empty
    (re.compile(r"\(\s*[,;]\s*"), "("),
    (re.compile(r":(?:math|class|func|meth|attr|mod|ref):|::+"), " "),  # role without its text
]
