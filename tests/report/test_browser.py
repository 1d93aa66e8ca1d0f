"""The report in a real browser: nothing sticks out, runs into something else, or is too small.

A copy of the page gets a script that looks at the boxes of what the browser has drawn. It stands in
a frame, since windows have a least width, and its findings are left in the title around that.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.report.test_page import page
from tests.tools import find_tool, run_tool

Browser = Callable[..., bytes]

# Widths that a page sticks out by, texts that leave their picture or meet another label, and the
# size in pixels of the smallest text as it is shown.
SCRIPT = """<script>
const paper = document.documentElement;
const found = {shown: innerWidth, wide: paper.scrollWidth - paper.clientWidth,
  out: [], meet: [], small: 99};
const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1
  && b.top < a.bottom - 1;
for (const details of document.querySelectorAll('details')) details.open = true;
for (const svg of document.querySelectorAll('svg')) {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')];
  for (const text of texts) {
    const box = text.getBoundingClientRect();
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
        || box.bottom > frame.bottom + 1) found.out.push(text.textContent);
    const scale = frame.width / svg.viewBox.baseVal.width;
    found.small = Math.min(found.small, scale * parseFloat(text.getAttribute('font-size')));
  }
  const inked = texts.filter(t => !t.classList.contains('label'));
  for (const some of [texts.filter(t => t.classList.contains('label')), inked])
    some.forEach((a, n) => some.slice(0, n).forEach(b => {
      if (meets(a.getBoundingClientRect(), b.getBoundingClientRect()))
        found.meet.push(a.textContent + ' | ' + b.textContent);
    }));
}
top.document.title = JSON.stringify(found);
</script>"""


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """A function that gives what chromium, or its sister, prints about a file."""
    find_tool("chromium")

    def run(file: Path, *options: str) -> bytes:
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
        command += ["--no-first-run", "--disable-background-networking", "--disable-sync"]
        command += ["--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}"]
        command += ["--hide-scrollbars", *options, file.as_uri()]
        return run_tool(command, may_complain=True)

    return run


def findings(browser: Browser, folder: Path, text: str, width: int) -> dict[str, Any]:
    inner = html.escape(text.replace("</body>", f"{SCRIPT}</body>"))
    file = folder / "frame.html"
    file.write_text(
        f'<!DOCTYPE html><meta charset="utf-8"/><title></title>'
        f'<iframe style="width:{width}px; height:2000px; border:0" srcdoc="{inner}"></iframe>'
    )
    dump = browser(file, "--dump-dom").decode()
    title = re.search(r"<title>(.*?)</title>", dump, re.DOTALL)
    assert title is not None
    found: dict[str, Any] = json.loads(html.unescape(title.group(1)))
    return found


@pytest.mark.parametrize(
    ("case", "width"),
    [
        ("bands", 390),
        *(
            pytest.param(*pair, marks=pytest.mark.heavy)
            for pair in (("bands", 1200), ("maps", 390), ("maps", 1200))
        ),
    ],
)
def test_nothing_sticks_out(browser: Browser, tmp_path: Path, case: str, width: int) -> None:
    found = findings(browser, tmp_path, page(case), width)
    assert found["shown"] == width
    assert found["wide"] <= 0
    assert found["out"] == []
    assert found["meet"] == []
    assert found["small"] >= 8.5


def test_the_script_sees_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    text = '<text class="label" x="-40" y="9" font-size="3">over</text>'
    broken = re.sub(r"(<svg[^>]*>)", rf"\1{text}{text}", page("bands"), count=1)
    broken = broken.replace("<nav>", '<div style="width:3000px">-</div><nav>')
    found = findings(browser, tmp_path, broken, 1200)
    assert found["wide"] > 1000
    assert found["out"] == ["over", "over"]
    assert found["meet"] == ["over | over"]
    assert found["small"] < 4


def test_it_prints(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(page("bands"))
    pdf = tmp_path / "report.pdf"
    browser(tmp_path / "report.html", f"--print-to-pdf={pdf}", "--no-pdf-header-footer")
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    # What is folded away on the screen is printed: one page would not hold it.
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 4
