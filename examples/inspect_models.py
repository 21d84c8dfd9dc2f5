"""Look at several models side by side before choosing one, and how to narrow it.

python examples/inspect_models.py [N_DOCUMENTS] [MODEL ...]

Without a name it looks at the bundled model, and downloads nothing. With a network:

python examples/inspect_models.py 2000 nomic-ai/nomic-embed-text-v1.5 \
    mixedbread-ai/mxbai-embed-large-v1 BAAI/bge-small-en-v1.5 \
    Snowflake/snowflake-arctic-embed-s avsolatorio/GIST-all-MiniLM-L6-v2 \
    intfloat/multilingual-e5-small

They are loaded one after another. Code that comes with a model is run only if it is named here.
"""

import sys

from bertopic_matryoshka import MatryoshkaBackend, inspect_models
from bertopic_matryoshka.cli.demo import load_docstrings

TRUSTED = {"nomic-ai/nomic-embed-text-v1.5"}

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
docs = load_docstrings(("scipy", "sklearn"), limit=n_documents).texts
models = {
    name: MatryoshkaBackend(name, trust_remote_code=name in TRUSTED) for name in sys.argv[2:]
} or {"the bundled model": MatryoshkaBackend()}

print("What is known, before anything is loaded:")
print(inspect_models(models).summary())

inspection = inspect_models(models, docs)
print("\nWhat is measured:")
print(inspection.summary())
print(inspection.widths.round(3).to_string(index=False))
