"""Checks what a release needs, and prints its version: python scripts/check_release.py v0.1.0.

The tag, the version in pyproject.toml and the first heading of CHANGELOG.md must agree, the heading
must have a date, and pyproject.toml must name the project's addresses.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADING = re.compile(r"^## \[(?P<version>[^]]+)\] - (?P<date>.*)$", re.MULTILINE)
URLS = ("Homepage", "Documentation", "Changelog", "Issues")


def problems(tag: str, pyproject: str, changelog: str) -> list[str]:
    version = re.search(r'^version = "(.+)"$', pyproject, re.MULTILINE)
    heading = HEADING.search(changelog)
    urls = pyproject.partition("[project.urls]\n")[2].partition("\n[")[0]
    found = []
    if version is None or f"v{version[1]}" != tag:
        found.append(f"The tag is {tag}; pyproject.toml has {version and version[0]}.")
    if heading is None or f"v{heading['version']}" != tag:
        found.append(f"The tag is {tag}; CHANGELOG.md begins with {heading and heading[0]!r}.")
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d", heading["date"]):
        found.append(f"CHANGELOG.md dates the release {heading['date']!r}, not as 2030-12-31.")
    missing = [name for name in URLS if f"{name} = " not in urls]
    if missing:
        found.append(f"[project.urls] in pyproject.toml lacks {', '.join(missing)}.")
    return found


def main() -> None:
    tag = sys.argv[1]
    texts = ((ROOT / name).read_text("utf-8") for name in ("pyproject.toml", "CHANGELOG.md"))
    found = problems(tag, *texts)
    if found:
        sys.exit("\n".join(found))
    print(tag.removeprefix("v"))


if __name__ == "__main__":
    main()
