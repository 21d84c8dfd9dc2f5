"""Links of README and docs lead to files that are there, and every page is in the menu."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"(?:\]\(|src=\"|srcset=\")(?![a-z]+:|#)([^)#\"]+)")


def names(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=names)
def test_links_lead_to_files(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_menu():
    menu = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2].partition("\nplug")[0]
    listed = re.findall(r"[\w/-]+\.md", menu)
    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


def test_the_pages_that_the_code_names_are_there():
    named = {
        name
        for folder in ("bertopic_matryoshka", "benchmarks", "examples", "scripts")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"\bdocs/[\w/-]+\.md", path.read_text("utf-8"))
    }
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_first_page_and_readme_are_short():
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= 1000
    assert len((DOCS / "no-umap.md").read_text("utf-8").split()) <= 1200
