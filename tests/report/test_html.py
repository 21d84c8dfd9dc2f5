"""The report: one file, offline, the answer first."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
from made_cells import MODEL, NAN, make_cell, make_comparison, make_model
from plotly.offline import get_plotlyjs

from bertopic_matryoshka.report._html import write_report
from bertopic_matryoshka.report._sentences import answer, certainty, decide, memory

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
EXACT = np.zeros(10)
"""Bootstrap samples that do not vary."""


class Page(HTMLParser):
    """The text of a page, its elements, and its tables row by row."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self.rows, self.strong = [], [], [], []
        self.inside = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.inside.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.inside.pop() == tag

    def handle_data(self, data):
        if self.inside and self.inside[-1] in ("script", "style"):
            return
        self.texts.append(data)
        if "strong" in self.inside and "td" in self.inside:
            self.strong.append(data)
        if "td" in self.inside or "th" in self.inside:
            self.rows[-1][-1] += data

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture
def report(tmp_path):
    """Write a report, and give its HTML without the plotly.js in it."""

    def write(comparison):
        html = write_report(comparison, tmp_path / "report.html").read_text("utf-8")
        assert html.count(get_plotlyjs()) == 1
        return html.replace(get_plotlyjs(), "")

    return write


def answer_to(*cells, **changes):
    """Give what is answered first, with the spaces that every keyboard has."""
    (decision, *_) = decide(make_comparison(*cells, **changes)).values()
    return answer(decision).replace("\N{NO-BREAK SPACE}", " "), certainty(decision)


def seeds(dim, coherences, reduction="variance", **measured):
    """Make a cell a seed, whose coherence does not depend on the documents."""
    measured.setdefault("coherence_samples", EXACT)
    return [
        make_cell(dim, reduction, coherence=value, seed=seed, **measured)
        for seed, value in enumerate(coherences)
    ]


# ---- the answer


def test_the_answer_is_a_sentence_with_difference_memory_and_speed():
    # Squared deviations are .0002 and .0008, over 4 degrees of freedom a variance of .00025, twice
    # a third of which is that of the difference; Student's interval reaches 2.776 of its roots.
    said, sure = answer_to(
        *seeds(8, (0.40, 0.41, 0.42), reduce_seconds=2.0, cluster_seconds=1.0),
        *seeds(2, (0.40, 0.42, 0.44), reduce_seconds=0.5, cluster_seconds=0.2),
    )
    assert said == (
        "Keep 2 of 8 dimensions: coherence 0.420 against 0.410 at full width (difference +0.010, "
        f"95 % interval {MINUS}0.026 to +0.046), 4 times less memory, 3.4 times faster to fit."
    )
    assert sure.startswith("There is no difference in coherence between the widths that these")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3.0, "4 times less memory, as fast to fit."),
        (3.2, "4 times less memory, as fast to fit."),
        (2.8, "4 times less memory, as fast to fit."),
        (6.0, "4 times less memory, 2 times slower to fit."),
        (0.1, "4 times less memory, 30 times faster to fit."),
    ],
)
def test_speed_is_said_as_it_is(seconds, said):
    shared = {"cluster_seconds": 0.0, "represent_seconds": 0.0}
    cells = [
        make_cell(8, reduce_seconds=3.0, **shared),
        make_cell(2, reduce_seconds=seconds, **shared),
    ]
    assert answer_to(*cells)[0].endswith(said)


def test_the_answer_may_be_to_keep_all():
    worse = [seeds(dim, (0.10, 0.10, 0.11)) for dim in (4, 2)]
    said, sure = answer_to(*seeds(8, (0.50, 0.51, 0.50)), *worse[0], *worse[1])
    assert said == (
        "Keep all 8 dimensions: coherence 0.503, and every narrower width that was compared is "
        "significantly worse."
    )
    assert sure == ""


def test_widths_that_are_significantly_worse_are_named():
    cells = [
        *seeds(8, (0.50, 0.51, 0.52)),
        *seeds(4, (0.51, 0.50, 0.515)),
        *seeds(2, (0.10, 0.10, 0.11)),
    ]
    said, sure = answer_to(*cells)
    assert said.startswith("Keep 4 of 8 dimensions: coherence 0.508 against 0.510 at full width")
    assert sure == (
        "4 is not significantly below the best, 8; 2 is significantly worse than the best."
    )


def test_where_the_widest_is_not_the_full_width_the_answer_says_so():
    said, _ = answer_to(make_cell(4), make_cell(2))
    assert "Keep 2 of 8 dimensions: coherence 0.100 against 0.100 at 4, the widest compa" in said
    assert said.endswith("4 times less memory than at full width, as fast to fit as at 4.")
    faster = answer_to(make_cell(4, reduce_seconds=9.25), make_cell(2))[0]
    assert faster.endswith("less memory than at full width, 5.7 times faster to fit than at 4.")


def test_a_single_width_is_compared_with_nothing():
    said, sure = answer_to(make_cell(8))
    assert said == (
        "Keep all 8 dimensions: coherence 0.100. There is no other width to compare it with."
    )
    assert sure == ""
    assert answer_to(make_cell(4))[0].startswith("Keep 4 of 8 dimensions: coherence 0.100. There")


def test_where_the_full_width_cannot_be_scored_there_is_nothing_to_hold_against():
    nothing = make_cell(8, coherence=NAN, document_topics=[-1] * 6)
    said, _ = answer_to(nothing, make_cell(2))
    assert said == "Keep 2 of 8 dimensions: coherence 0.100, 4 times less memory, as fast to fit."


def test_without_any_topic_nothing_is_recommended():
    cells = [make_cell(dim, document_topics=[-1] * 6, coherence=NAN) for dim in (8, 4)]
    said, sure = answer_to(*cells)
    assert said == "No width to recommend: none gave two topics with each seed."
    assert sure.startswith("No width with 'variance' gave")


@pytest.mark.parametrize(
    ("n_documents", "dim", "said"),
    [
        (2, 8, "64 bytes"),
        (1500, 32, "192 kB"),
        (1500, 256, "1.54 MB"),
        (10**6, 768, "3.07 GB"),
        (10**9, 768, "3,072 GB"),
    ],
)
def test_memory_is_that_of_float32(n_documents, dim, said):
    assert memory(n_documents, dim) == said


# ---- the file


def test_the_file_refers_to_nothing_outside(report, tmp_path):
    comparison = make_comparison(make_cell(8), make_cell(4), make_cell(8, "umap"))
    assert write_report(comparison, str(tmp_path / "r.html")) == tmp_path / "r.html"
    html = report(comparison)
    assert not re.search(r"https?:|url\(|@import", html)
    for tag, attributes in Page(html).elements:
        assert tag not in ("link", "img", "iframe")
        assert not {"src", "href"} & set(attributes)


def test_the_answer_comes_first(report):
    text = Page(report(make_comparison(make_cell(8), make_cell(4, coherence=0.3)))).text
    headings = ["Keep 4 of 8 dimensions:", "4 has the highest coh", "Compared on 6 documents"]
    headings += ["Quality and cost by width", "Topics side by side", "The documents on a map"]
    headings += ["Variance of the", "All measurements", "How it was computed", "Made with"]
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)


def test_words_and_names_are_text_and_no_markup(report):
    words = ("<b>bold</b>", "</script><script>alert(1)</script>", '"&amp;')
    name = "<i>model</i>"
    comparison = make_comparison(
        make_cell(8, words=words, model=name),
        make_cell(4, words=words, model=name),
        make_cell(8, words=words),
        made_with={"<u>": "<s>"},
    )
    html = report(comparison)
    page = Page(html)
    assert not {"b", "u", "s"} & {tag for tag, attrs in page.elements if not attrs}
    assert "<i>model" not in html
    assert "alert(1)</script>" not in html
    for text in (*words, name, "<u>", "<s>"):
        assert text in page.text


# ---- what it says


def test_every_line_has_its_verdict_with_its_cautions(report):
    comparison = make_comparison(
        make_cell(8, coherence=0.30, document_topics=[0, 1, -1, -1, -1, -1]),
        make_cell(8, "umap", coherence=0.10, umap_compile_seconds=9.25),
        make_cell(2, "umap", coherence=0.08),
    )
    text = Page(report(comparison)).text
    for line in ("variance", "umap"):
        recommendation = comparison.recommend(line)
        assert recommendation.reason in text
        for caution in recommendation.cautions:
            assert text.count(caution) == 1
    assert comparison.recommend("variance").cautions
    assert "Keep all 8 dimensions with variance:" in text
    assert "on the first 8 and 2 of 8 dimensions of a model; with variance and umap as red" in text


def test_controls_are_shown_and_not_decided_for(report):
    comparison = make_comparison(
        make_cell(8, ami=0.3),
        make_cell(2, ami=0.2),
        make_cell(2, cut="random", coherence=0.05, ami=0.1),
        make_cell(4, model="another", coherence=0.07, ami=0.1),
        models={MODEL: make_model(), "another": make_model(is_control=True)},
    )
    html = report(comparison)
    text = Page(html).text.replace("\N{NO-BREAK SPACE}", " ")
    assert html.count("Control <small>") == 2
    assert f"At 2 dimensions coherence 0.050 against 0.100 with {MODEL} (difference " in text
    assert "AMI 0.100 against 0.200." in text
    assert "Coherence 0.070 at 4 dimensions." in text
    assert "Keep 2 of 8 dimensions: " in text  # no other line is decided for
    assert "dimensions of another" in text
    assert "8 dimensions, a control; 6 documents encoded once" in text
    assert "What the first line is held against" in text


def test_what_was_not_measured_is_not_explained(report):
    text = Page(report(make_comparison(make_cell(8)))).text
    for absent in ("AMI", "Two seeds", "Two halves", "held against", "t-SNE"):
        assert absent not in text
    assert "Neighbours kept" in text


def test_seeds_halves_and_labels_are_shown_where_there_are_any(report):
    agreed = {"ami": 0.5, "ari": 0.25, "v_measure": 0.75, "coherence_samples": EXACT}
    cells = [make_cell(8, coherence=c, seed=seed, **agreed) for c, seed in ((0.08, 3), (0.12, 4))]
    halves = [make_cell(8, part=part, seed=3) for part in ("first half", "second half")]
    page = Page(report(make_comparison(*cells, half_cells=halves)))
    heads = [i for i, row in enumerate(page.rows) if row[0].startswith("line")]
    quality, likeness, _ = (page.rows[i : i + 2] for i in heads)
    assert "AMI ↑" in quality[0]
    assert quality[1][:5] == ["●variance", "8", "0.100", "0.020", "2"]
    assert quality[1][6:9] == ["0.500", "0.250", "0.750"]
    assert likeness[1][2:] == ["100.0%", "1.000", "1.000", "1.000", "1.000", "1.000"]
    assert "seeds 3, 4" in page.text
    assert "Of seed 3, the first of 2." in page.text


@pytest.mark.parametrize("measure", ["c_v", "c_npmi", "c_uci", "u_mass", "npmi"])
def test_the_measure_is_defined(report, measure):
    text = Page(report(make_comparison(make_cell(8), measure=measure))).text
    where = {"c_v": "windows of 110 tokens", "u_mass": "documents", "npmi": "documents"}
    assert f"Counted in {'' if measure in where else 'sliding '}" in text or measure == "c_v"
    assert where.get(measure, "sliding windows of 10 tokens") in text
    assert f"measure {measure}" in text


def test_how_it_was_computed_is_said(report):
    comparison = make_comparison(make_cell(8), make_cell(8, "umap", umap_compile_seconds=9.25))
    text = Page(report(comparison)).text
    assert "model a model 8 dimensions; 6 documents encoded once, at full width, in 1.50 s" in text
    assert "UMAP's first fit 9.25 s, mostly to compile" in text
    assert "50 samples of the documents" in text
    assert "bertopic 0.17.4" in text
    assert "device cpu" in text
    assert "Topics by leiden." in text
    assert "Topics by hdbscan." in text


def test_given_embeddings_are_said_to_be_untimed(report):
    models = {MODEL: make_model(encode_seconds=None)}
    text = Page(report(make_comparison(make_cell(8), models=models))).text
    assert "embeddings were given, so that encoding is not timed" in text
    assert "UMAP's first fit" not in text


def test_without_any_topic_there_is_a_report_that_says_so(report):
    nothing = {"coherence": NAN, "diversity": NAN, "inverted_rbo": NAN, "balance": NAN}
    cells = [make_cell(dim, document_topics=[-1] * 6, **nothing) for dim in (8, 4)]
    text = Page(report(make_comparison(*cells))).text
    assert "No width to recommend" in text
    assert "No width with 'variance' gave" in text
    assert "No width to keep, and so no topics to show." in text


def test_the_table_is_rounded_and_its_best_values_stand_out(report):
    comparison = make_comparison(
        make_cell(8, coherence=0.25001, reduce_seconds=1.004),
        make_cell(4, coherence=0.24999, reduce_seconds=1.001),
        make_cell(2, coherence=NAN, reduce_seconds=2.0),
    )
    page = Page(report(comparison))
    table = [row for row in page.rows if row[0].endswith("variance")]
    quality, cost = table[:3], table[6:]
    assert [row[1] for row in quality] == ["8", "4", "2"]
    assert [row[2] for row in quality] == ["0.250", "0.250", DASH]
    assert [row[6] for row in cost] == ["1.75", "1.75", "2.75"]
    assert page.strong == [
        *("0.250", "0.250"),  # what reads the same is equally good
        *("100.0%", "1.000", "1.000"),
        *("1.00", "1.75", "1.00", "1.75", "4.8e-05"),
    ]


# ---- topics side by side

# Topic 0 keeps 3 of its 4 documents as topic 5, topic 1 becomes topic 3, topic 2 dissolves, and
# topic 4 is new.
NARROW = [0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1]
FULL = [5, 5, 5, 3, 3, 3, 3, -1, -1, 4, 4]


def test_matched_topics_are_beside_each_other_and_others_stand_alone(report):
    comparison = make_comparison(
        make_cell(8, document_topics=FULL), make_cell(4, document_topics=NARROW)
    )
    page = Page(report(comparison))
    assert [row for row in page.rows if "document" in row[0] + row[-1]] == [
        ["cat, dog, word04 documents", "75%", "cat, dog, word53 documents"],
        ["cat, dog, word13 documents", "75%", "cat, dog, word34 documents"],
        ["cat, dog, word22 documents", DASH, "no counterpart"],
        ["no counterpart", DASH, "cat, dog, word42 documents"],
    ]
    assert "3 topics at 4 dimensions; 2 of them have a counterpart among the 3 at 8." in page.text


def test_the_ten_largest_topics_are_shown(report):
    many = np.repeat(np.arange(12), 3)
    comparison = make_comparison(
        make_cell(8, document_topics=many), make_cell(4, document_topics=many)
    )
    page = Page(report(comparison))
    assert [row[1] for row in page.rows if row[0].startswith("cat")] == ["100%"] * 10
    assert "12 topics at 4 dimensions, the 10 largest shown; 12 of them" in page.text


def test_one_cell_makes_a_report_with_one_column_of_topics(report):
    page = Page(report(make_comparison(make_cell(8, "umap"))))
    assert [row for row in page.rows if "cat" in row[0]] == [
        ["cat, dog, word03 documents"],
        ["cat, dog, word12 documents"],
    ]
    assert page.strong == []


# ---- maps

MANY = np.repeat([0, 1, 2, -1], 10)


def mapped(*cells, **changes):
    """Make a comparison of forty documents."""
    return make_comparison(
        *cells,
        n_documents=40,
        models={MODEL: make_model(n_documents=40)},
        documents=["<b>no</b> markup"] * 40,
        **changes,
    )


def test_documents_are_on_a_map_at_both_widths(report):
    comparison = mapped(*(make_cell(dim, document_topics=MANY) for dim in (8, 4)))
    html = report(comparison)
    assert "All documents, coloured by the largest topics at 4 dimensions, and their" in html
    assert "4 dimensions" in html
    assert "<b>no" not in html
    assert html.count("&lt;b&gt;no&lt;/b&gt; markup") == 2 * 40


def test_few_documents_have_no_map(report):
    html = report(make_comparison(make_cell(8), make_cell(4)))
    assert "No map: 6 documents are too few." in html
    assert '<script type="application/json" id="map">null</script>' in html
    assert "<figure hidden>" in html


# ---- in a browser

MEASURE = """<script>addEventListener("load", () => setTimeout(() => {
  const root = document.documentElement, map = document.querySelector('[data-of="map"]');
  map.scrollIntoView();
  const point = map.querySelector(".plot.xy .point, .xy .point").getBoundingClientRect();
  map.querySelector(".nsewdrag").dispatchEvent(new MouseEvent("mousemove", {
    bubbles: true, clientX: point.x + point.width / 2, clientY: point.y + point.height / 2,
  }));
  setTimeout(() => parent.postMessage([
    innerWidth, root.scrollWidth, document.querySelectorAll(".trace").length,
    getComputedStyle(document.body).color,
    map.querySelector(".ring").offsetWidth, map.querySelectorAll(".hovertext").length,
  ].join(" | "), "*"), 500);
}, 500))</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on this machine")
@pytest.mark.parametrize(
    ("scheme", "paper", "ink"),
    [(1, (255, 255, 255), "rgb(29, 35, 41)"), (0, (20, 24, 28), "rgb(227, 231, 235)")],
    ids=["light", "dark"],
)
def test_the_page_fits_wide_and_narrow_windows_and_draws_its_figures(tmp_path, scheme, paper, ink):
    """Show the report in two frames, as Chromium's windows are never narrower than 500 px."""
    cells = [
        *(make_cell(dim, "umap", ami=0.1, ari=0.1, document_topics=MANY) for dim in (8, 4)),
        make_cell(8, ami=0.1, ari=0.1, words=["word" * 9] * 10, document_topics=MANY),
    ]
    html = write_report(mapped(*cells), tmp_path / "report.html").read_text("utf-8")
    (tmp_path / "report.html").write_text(html.replace("</body>", MEASURE), "utf-8")
    (tmp_path / "frames.html").write_text(
        """<body style="margin: 0"><script>addEventListener("message", message => {
          document.body.append(Object.assign(document.createElement("p"), {textContent: message.data}));
        })</script>
        <iframe src="report.html" style="width:1200px; height:1600px; border:0"></iframe>
        <iframe src="report.html" style="width:380px; height:1600px; border:0"></iframe></body>""",
        "utf-8",
    )
    picture = tmp_path / "frames.png"
    for i, task in enumerate(("--dump-dom", f"--screenshot={picture}")):
        done = subprocess.run(
            [
                *(CHROMIUM, *CHROMIUM_FLAGS, task, f"--user-data-dir={tmp_path / f'profile{i}'}"),
                *("--window-size=1640,1600", "--virtual-time-budget=5000"),
                f"--blink-settings=preferredColorScheme={scheme}",
                (tmp_path / "frames.html").as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        )
        if task == "--dump-dom":
            measured = sorted(re.findall(r"<p>(\d.*?)</p>", done.stdout))
    # Coherence's band, bar and two lines; three panels by line and two by model; topics and
    # outliers on two maps; the spectrum.
    traces = 4 + 3 * 2 + 2 + 2 * 4 + 1
    assert measured == [f"{width} | {width} | {traces} | {ink} | 18 | 1" for width in (1200, 380)]
    assert picture.stat().st_size > 50_000
    assert first_pixel(picture) == paper


def first_pixel(picture):
    """Read the colour of a PNG's first pixel, which no filter changes."""
    content = picture.read_bytes()
    place, data = 8, b""
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        if content[place + 4 : place + 8] == b"IDAT":
            data += content[place + 8 : place + 8 + size]
        place += size + 12
    return tuple(zlib.decompressobj().decompress(data, 4)[1:])
