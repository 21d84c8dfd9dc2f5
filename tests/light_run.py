"""Run by test_light.py in a process of its own, where what the light installation lacks is gone.

python light_run.py DOCUMENTS.json FOLDER writes what came out to FOLDER/found.json.
"""

import json
import sys
import warnings
from importlib import import_module
from pathlib import Path

ABSENT = ("umap", "hdbscan", "pynndescent", "numba")


def run(docs, folder):
    import bertopic_matryoshka as package

    for name in package.__all__:
        getattr(package, name)
    import_module("bertopic_matryoshka.cli")
    backend = package.MatryoshkaBackend(truncate_dim=64)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        topic_model = package.build_topic_model(backend)
        topics, _ = topic_model.fit_transform(docs)
        package.save_topic_model(topic_model, folder / "model")
        loaded = package.load_topic_model(folder / "model")
    try:
        topic_model.transform(docs[:3])
        unmended = None
    except TypeError as error:
        unmended = str(error)
    package.allow_missing_hdbscan()
    package.allow_missing_hdbscan()  # a second time does nothing
    comparison = package.compare_dimensions(docs, dims=[64, 32], seeds=1, progress=False)
    package.write_report(comparison, folder / "report.html")
    near, _ = package.nearest_neighbors(backend.embed(docs), 5, method="approximate")
    return {
        "topics": topics,
        "warned": [[warning.category.__name__, str(warning.message)] for warning in warned],
        "unmended": unmended,
        "transformed": topic_model.transform(docs)[0],
        "loaded": loaded.transform(docs)[0],
        "runs": [[run.dim, run.n_topics, run.coherence] for run in comparison.runs],
        "provenance": comparison.provenance,
        "pca": package.build_topic_model(backend, reduction="pca", clustering="leiden")
        .fit(docs)
        .transform(docs)[0],
        "probabilities": package.build_topic_model(backend, calculate_probabilities=True)
        .fit(docs)
        .probabilities_.tolist(),
        "neighbours": near.tolist(),
        "refusals": {
            name: refusal(call)
            for name, call in {
                "umap": lambda: package.build_topic_model(backend, reduction="umap"),
                "pca": lambda: package.build_topic_model(backend, reduction="pca"),
                "hdbscan": lambda: package.build_topic_model(backend, clustering="hdbscan"),
            }.items()
        },
    }


def refusal(call):
    try:
        call()
    except ImportError as error:
        return str(error)
    return None


if __name__ == "__main__":
    for module in ABSENT:
        sys.modules[module] = None  # an import of it raises ModuleNotFoundError
    target = Path(sys.argv[2])
    found = run(json.loads(Path(sys.argv[1]).read_text("utf-8")), target)
    found["imported"] = sorted(name for name in ABSENT if sys.modules[name] is not None)
    (target / "found.json").write_text(json.dumps(found, default=int), "utf-8")
