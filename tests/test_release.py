"""What the release workflow checks before it builds."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
problems = runpy.run_path(str(ROOT / "scripts" / "check_release.py"))["problems"]
PYPROJECT = """[project]
name = "x"
version = "0.1.0"

[project.urls]
Homepage = "https://example.org"
Documentation = "https://example.org/docs"
Changelog = "https://example.org/changelog"
Issues = "https://example.org/issues"

[tool.x]
"""
CHANGELOG = "# Changelog\n\n## [0.1.0] - 2026-12-01\n\n### Added\n"


def test_a_release_whose_tag_version_and_heading_agree_has_no_problems():
    assert problems("v0.1.0", PYPROJECT, CHANGELOG) == []


@pytest.mark.parametrize(
    ("tag", "pyproject", "changelog", "said"),
    [
        ("v0.2.0", PYPROJECT, CHANGELOG, ["pyproject.toml has", "CHANGELOG.md begins with"]),
        ("v0.1.0", PYPROJECT, CHANGELOG.replace("2026-12-01", "unreleased"), ["'unreleased'"]),
        ("v0.1.0", PYPROJECT, "# Changelog", ["CHANGELOG.md begins with None"]),
        ("v0.1.0", PYPROJECT.replace("Issues", "Other"), CHANGELOG, ["lacks Issues"]),
        ("v0.1.0", PYPROJECT.partition("[project.urls]")[0], CHANGELOG, ["lacks Homepage, Doc"]),
    ],
)
def test_each_problem_is_named(tag, pyproject, changelog, said):
    found = problems(tag, pyproject, changelog)
    assert len(found) == len(said)
    assert all(part in line for part, line in zip(said, found, strict=True))


def test_the_changelog_names_the_version_of_pyproject():
    texts = [(ROOT / name).read_text("utf-8") for name in ("pyproject.toml", "CHANGELOG.md")]
    version = texts[0].partition('\nversion = "')[2].partition('"')[0]
    assert not any("CHANGELOG.md begins" in line for line in problems(f"v{version}", *texts))
