"""Pages in a headless Chromium, wide and as on a phone, without any package for it."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import unescape

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
FLAGS = [
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
WIDTHS = (1200, 390)

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium or google-chrome on this machine"
)


def show(html, folder, script, *, dark=False):
    """Show a page in two frames, as Chromium's windows are never narrower than 500 px.

    `script` runs in each when it is loaded, ends with ``report(text)``, and may look into `errors`,
    which has the page's errors and what its security policy stopped. Returns the texts, those of
    the wide frame first.
    """
    watch = """<head><script>
      const errors = [];
      addEventListener("error", ({message}) => errors.push(message));
      addEventListener("securitypolicyviolation", ({blockedURI}) => errors.push(blockedURI));
    </script>"""
    drive = f"""<script>addEventListener("load", () => setTimeout(async () => {{
      const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));
      const report = text => parent.postMessage(`${{innerWidth}}: ${{text}}`, "*");
      try {{ {script} }} catch (error) {{ report(error.stack); }}
    }}, 500))</script></body>"""
    before, _, after = html.replace("<head>", watch, 1).rpartition("</body>")
    (folder / "page.html").write_text(f"{before}{drive}{after}", "utf-8")
    frames = "".join(
        f'<iframe src="page.html" style="width:{width}px; height:900px; border:0"></iframe>'
        for width in WIDTHS
    )
    (folder / "frames.html").write_text(
        f"""<body style="margin: 0"><script>addEventListener("message", ({{data}}) => {{
          document.body.append(Object.assign(document.createElement("p"), {{textContent: data}}));
        }})</script>{frames}</body>""",
        "utf-8",
    )
    done = subprocess.run(
        [
            *(CHROMIUM, *FLAGS, "--dump-dom", f"--user-data-dir={folder / 'profile'}"),
            *("--window-size=1640,900", "--virtual-time-budget=8000"),
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            (folder / "frames.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    texts = dict(re.findall(r"<p>(\d+): (.*?)</p>", done.stdout, re.DOTALL))
    return [unescape(texts.get(str(width), "nothing was reported")) for width in WIDTHS]
