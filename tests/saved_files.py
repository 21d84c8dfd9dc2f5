"""The files of a saved topic model: listed, and changed as if they had been saved so."""

import json

from bertopic_matryoshka.topics._saved_folder import LOCK, MANIFEST, signed


def edit_state(folder, edit):
    """Change the state, with a digest as if it had been saved so."""
    state = json.loads((folder / MANIFEST).read_text("utf-8"))
    edit(state)
    del state["sha256"]
    (folder / MANIFEST).write_text(json.dumps(signed(state)), "utf-8")


def files_in(folder):
    """Name the files in a folder and its subfolders, but for the lock."""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return files - {LOCK}
