"""The site has every page, and every link between pages, files and headings leads somewhere."""

import re
import shutil
import subprocess
import sys

import pytest
from doc_pages import DOCS, PAGES, ROOT, anchors, links, parts

OTHERS = [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]


def broken(page) -> list[str]:
    """Links of a page that lead nowhere; a page of the site must stay within the site."""
    found = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        inside = page.parent != DOCS or file.is_relative_to(DOCS)
        known = not anchor or (file.suffix == ".md" and file.exists() and anchor in anchors(file))
        if not (file.exists() and inside and known):
            found.append(target)
    return found


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    assert broken(page) == []


def test_the_navigation_has_every_page_once():
    listed = re.findall(r"^ +- .+: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(page.name for page in DOCS.glob("*.md"))


def test_every_page_begins_with_its_title_and_is_read_from_somewhere():
    for page in DOCS.glob("*.md"):
        assert page.read_text().startswith("# "), page.name
    linked = {target.partition("#")[0] for page in PAGES for target in links(page)}
    linked = {target.rpartition("/")[2] for target in linked}
    assert {page.name for page in DOCS.glob("*.md")} <= linked


def test_a_wrong_link_would_be_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A title: two\n\n[a](#a-title-two) [b](#gone) [c](gone.md) [d](page.md#no)\n")
    assert broken(page) == ["#gone", "gone.md", "page.md#no"]
    page.write_text("Text.\n\n    code\n")
    with pytest.raises(ValueError, match=r"page\.md:3: indented code"):
        parts(page)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    """What `make docs` runs; mkdocs and its plugins come with the extra docs."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    for name in ("mkdocs.yml", "docs", "src"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "site" / "reference.html").read_text()
    assert "world model" in page and "reverie.train" in page
    assert "mkdocs build --strict" in (ROOT / "Makefile").read_text()
