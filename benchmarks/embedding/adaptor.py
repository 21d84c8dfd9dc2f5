"""Whether a learned map keeps more neighbours at every prefix than the rotation it starts from.

    OMP_NUM_THREADS=1 python -m benchmarks.embedding.adaptor tried --corpora FOLDER... \
        --embeddings FOLDER... --out FOLDER
    OMP_NUM_THREADS=1 python -m benchmarks.embedding.adaptor measure --corpora FOLDER... \
        --embeddings FOLDER... --out FOLDER

Reads CORPUS.parquet (columns text, label) and MODEL_CORPUS.npy. Documents are halved at random with
each seed. Maps are learned on one half without labels, stopped early by a tenth of that half, and
judged on the other half as the rotation is in `benchmarks.embedding.rotation`. `tried` compares
losses and maps on one pair of corpus and model, `measure` judges two on four pairs. Both write
each measurement to a .csv in OUT, use such a file where there is one already, and print tables.
"""

from __future__ import annotations

import argparse
import copy
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import adjusted_mutual_info_score
from torch.nn import functional as F  # noqa: N812  (its usual name)

from benchmarks.corpus import machine, read
from benchmarks.embedding.rotation import PAIRS, axes_of, full_ami, short, table, unit
from bertopic_matryoshka import LeidenClustering, nearest_neighbors

if TYPE_CHECKING:
    from collections.abc import Iterator

    Rows = np.ndarray

NAMES = ("minilm_ag", "mpnet_ag", "minilm_bbc", "minilm_so")
TRIED_ON = "minilm_ag"
WIDTHS = (16, 32, 64)
"""Prefixes that a map is learned for, together."""
TARGET_WIDTHS = (16, 32)
ROTATION_WIDTHS = (16, 20, 32, 64)
"""With one in between, to say how many more rotated dimensions are worth a learned map."""
SEEDS = (0, 1)
JUDGED = 3000
N_NEIGHBORS = 15
N_TOPICS = 20
FEW = 1000
N_ANCHORS, N_OTHERS = 128, 1024
"""Rows of a step: anchors, which are compared with their neighbours and with random others."""
HELD_OUT, AT_MOST_HELD_OUT = 0.1, 500
CHECK_EVERY, PATIENCE = 25, 4
PACKAGES = ("numpy", "scikit-learn", "torch")
KEPT_MORE = 0.05


class Setting(NamedTuple):
    """What is learned: a map, by a loss, for some prefixes."""

    loss: str
    residual: bool = False
    temperature: float = 0.05
    rate: float = 3e-4
    widths: tuple[int, ...] = WIDTHS
    mixed: bool = False
    """Whether each step trains on rows that are mixed with a neighbour, up to half of it."""
    decay: float = 0.0
    most_steps: int = 1500


TRIED = {
    "linear, squared": Setting("squared"),
    "linear, softmax": Setting("softmax"),
    "linear, neighbours": Setting("neighbours"),
    "residual, squared": Setting("squared", residual=True, most_steps=500),
    "residual, softmax": Setting("softmax", residual=True, most_steps=500),
    "residual, neighbours": Setting("neighbours", residual=True, most_steps=500),
    "linear, neighbours, temperature .1": Setting("neighbours", temperature=0.1),
    "linear, neighbours, rate .003": Setting("neighbours", rate=3e-3),
    "linear, neighbours, weight decay": Setting("neighbours", decay=10),
    "linear, softmax, mixed rows": Setting("softmax", mixed=True),
    "linear, neighbours, for 16 alone": Setting("neighbours", widths=(16,)),
    "linear, neighbours, for 32 alone": Setting("neighbours", widths=(32,)),
}
MEASURED = {
    "linear": Setting("neighbours"),
    "residual": Setting("neighbours", residual=True, most_steps=500),
}
UNSEEN, FITTED = "unseen", "fitted"


class Adaptor(torch.nn.Module):
    """Rotated rows -> adapted ones: at first their first dimensions as they are."""

    def __init__(self, n_dims: int, *, residual: bool, hidden: int = 256) -> None:
        super().__init__()
        n_out = max(WIDTHS)
        if residual:
            last = torch.nn.Linear(hidden, n_out, bias=False)
            layers = (torch.nn.Linear(n_dims, hidden), torch.nn.GELU(), last)
            self.change = torch.nn.Sequential(*layers)
        else:
            self.change = last = torch.nn.Linear(n_dims, n_out, bias=False)
        torch.nn.init.zeros_(last.weight)

    def forward(self, R: torch.Tensor) -> torch.Tensor:
        return R[:, : max(WIDTHS)] + self.change(R)


def loss_of(
    setting: Setting, cosines: torch.Tensor, full: torch.Tensor, near: torch.Tensor
) -> torch.Tensor:
    """Compare anchors' cosines in a prefix with those at full width, their neighbours marked."""
    if setting.loss == "squared":
        error = (cosines - full).square()
        return error.mean() + error[near].mean()
    found = F.log_softmax(cosines / setting.temperature, dim=1)
    if setting.loss == "softmax":
        wanted = F.softmax(full / setting.temperature, dim=1)
    else:
        wanted = near / near.sum(dim=1, keepdim=True)
    return -(wanted * found).sum(dim=1).mean()


def kept(R: torch.Tensor, adapted: torch.Tensor, rows: Rows, widths: tuple[int, ...]) -> float:
    """Mean share of the rows' neighbours, among all rows of R, that the prefixes keep."""

    def nearest(Y: torch.Tensor) -> torch.Tensor:
        Y = F.normalize(Y)
        cosines = Y[rows] @ Y.T
        cosines[np.arange(len(rows)), rows] = -2
        return cosines.topk(N_NEIGHBORS).indices

    wanted = nearest(R)[:, :, None]
    shares = [(nearest(adapted[:, :d])[:, None] == wanted).any(2).float().mean() for d in widths]
    return float(np.mean(shares))


def learned(rows: Rows, setting: Setting, seed: int) -> tuple[Adaptor, int, float, float]:
    """Learn from rotated rows; give the best map, its step, what it gained, and seconds."""
    start = time.perf_counter()
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(rows))
    n_held_out = min(int(HELD_OUT * len(rows)), AT_MOST_HELD_OUT)
    held_out, train = order[:n_held_out], order[n_held_out:]
    R, T = torch.from_numpy(rows), torch.from_numpy(rows[train])
    near = nearest_neighbors(rows[train], N_NEIGHBORS, method="exact")[0]
    adaptor = Adaptor(R.shape[1], residual=setting.residual)
    optimizer = torch.optim.AdamW(adaptor.parameters(), lr=setting.rate, weight_decay=setting.decay)
    first, best, best_step, best_state = 0.0, -1.0, 0, {}
    for step in range(setting.most_steps + 1):
        if step % CHECK_EVERY == 0:
            with torch.no_grad():
                share = kept(R, adaptor(R), held_out, setting.widths)
            if step == 0:
                first = share
            if share > best:
                best, best_step, best_state = share, step, copy.deepcopy(adaptor.state_dict())
            elif step - best_step >= PATIENCE * CHECK_EVERY:
                break
        anchors = rng.choice(len(train), min(N_ANCHORS, len(train)), replace=False)
        others = rng.choice(len(train), min(N_OTHERS, len(train)), replace=False)
        batch = np.unique(np.concatenate([anchors, near[anchors].ravel(), others]))
        at = np.searchsorted(batch, anchors)
        itself = torch.zeros(len(at), len(batch), dtype=torch.bool)
        itself[np.arange(len(at)), at] = True
        is_near = torch.zeros_like(itself)
        is_near[np.arange(len(at))[:, None], np.searchsorted(batch, near[anchors])] = True
        full = T
        if setting.mixed:
            share = torch.rand(len(T), 1) / 2
            partner = near[np.arange(len(T)), rng.integers(N_NEIGHBORS, size=len(T))]
            full = F.normalize((1 - share) * T + share * T[partner])
        wanted = (full[anchors] @ full[batch].T).masked_fill(itself, -2)
        adapted = adaptor(full[batch])
        loss = torch.zeros(())
        for width in setting.widths:
            Y = F.normalize(adapted[:, :width])
            cosines = (Y[at] @ Y.T).masked_fill(itself, -2)
            loss = loss + loss_of(setting, cosines, wanted, is_near)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    adaptor.load_state_dict(best_state)
    return adaptor, best_step, best - first, time.perf_counter() - start


class Judge:
    """Measures what shortened rows keep of their neighbours and topics at full width."""

    def __init__(self, X: Rows, labels: Rows, seed: int) -> None:
        self.nearest = nearest_neighbors(X, N_NEIGHBORS, method="exact")[0]
        self.labels, self.seed = labels, seed

    def __call__(self, Y: Rows) -> dict[str, float]:
        found = nearest_neighbors(Y, N_NEIGHBORS, method="exact")[0]
        share = (found[:, :, None] == self.nearest[:, None]).any(axis=2).mean()
        topics = LeidenClustering(N_TOPICS, random_state=self.seed).fit_predict(Y)
        return {"kept": share, "AMI": adjusted_mutual_info_score(self.labels, topics)}


def maps_of(
    A: Rows, settings: dict[str, Setting], seed: int, *, linear_only: bool
) -> dict[str, tuple[Setting, Adaptor, dict[str, float]]]:
    """Learn each map; give it with its setting, and what learning took and gained."""
    maps = {}
    for label, setting in settings.items():
        if not (linear_only and setting.residual):
            adaptor, step, gain, seconds = learned(A, setting, seed)
            maps[label] = setting, adaptor, {"step": step, "gain": gain, "seconds": seconds}
    return maps


def judged_widths(setting: Setting, rows: str, *, few: bool) -> tuple[int, ...]:
    """Give the widths at which these rows are judged: none, where nobody asks."""
    if rows == FITTED and (few or setting.residual):
        return ()
    return setting.widths if rows == UNSEEN and not few else TARGET_WIDTHS


def measured(
    name: str, settings: dict[str, Setting], seeds: tuple[int, ...], folders: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    documents, X = read(name, folders.corpora, folders.embeddings)
    labels = pd.factorize(documents["label"])[0]
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(X))
        a, b = order[: len(X) // 2], order[len(X) // 2 :][:JUDGED]
        judges = {UNSEEN: (b, Judge(X[b], labels[b], seed))}
        fits = {"": a}
        if settings is MEASURED:
            own = a[:JUDGED]
            judges[FITTED] = own, Judge(X[own], labels[own], seed)
            if len(a) > 2 * FEW:
                fits[f", {FEW:,}"] = a[:FEW]
        for rows, (at, judge) in judges.items():
            keys = {"data": name, "seed": seed, "rows": rows}
            yield keys | {"method": "full", "width": X.shape[1]} | judge(X[at])
            for width in WIDTHS if rows == UNSEEN else ():
                yield keys | {"method": "prefix", "width": width} | judge(unit(X[at, :width]))
        for suffix, used in fits.items():
            rotation = axes_of(X[used])
            A = np.float32(rotation.transform(X[used]))
            maps = {"rotation": (Setting("", widths=ROTATION_WIDTHS), None, {})}
            maps |= maps_of(A, settings, seed, linear_only=bool(suffix))
            for rows, (at, judge) in judges.items():
                R = torch.from_numpy(np.float32(rotation.transform(X[at])))
                for label, (setting, adaptor, took) in maps.items():
                    with torch.no_grad():
                        Y = (R if adaptor is None else adaptor(R)).numpy()
                    keys = {"data": name, "seed": seed, "rows": rows, "method": label + suffix}
                    for width in judged_widths(setting, rows, few=bool(suffix)):
                        yield keys | {"width": width} | took | judge(unit(Y[:, :width]))
        print(f"{name}, seed {seed}: done", flush=True)


def tried_table(results: pd.DataFrame) -> str:
    """Neighbours kept / share of the full width's AMI for each setting, its steps and seconds."""
    full = full_ami(results, TRIED_ON)
    lines = [
        f"| map, loss | {' | '.join(map(str, WIDTHS))} | step | s |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for method in ("rotation", *TRIED):
        rows = results[results["method"] == method].groupby("width").mean(numeric_only=True)
        cells = [
            f"{short(rows['kept'][d], 3)} / {short(rows['AMI'][d] / full)}"
            if d in rows.index
            else ""
            for d in WIDTHS
        ]
        took = rows.iloc[0]
        cells += (
            ["", ""] if method == "rotation" else [f"{took['step']:.0f}", f"{took['seconds']:.0f}"]
        )
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def steps(results: pd.DataFrame) -> str:
    """Steps and seconds of learning, means over the seeds."""
    lines = ["| data | map | step | s |", "|---|---|--:|--:|"]
    learned = results[results["step"].notna()]
    for (data, method), group in learned.groupby(["data", "method"], sort=False):
        mean = group[["step", "seconds"]].mean()
        lines.append(f"| {PAIRS[data]} | {method} | {mean['step']:.0f} | {mean['seconds']:.0f} |")
    return "\n".join(lines)


def targets(results: pd.DataFrame) -> str:
    """Say where a map keeps enough more neighbours than the rotation, with no less AMI."""
    mean = results.groupby(["data", "method", "width"], sort=False)[["kept", "AMI"]].mean()
    lines = ["| data | dims | map | kept, >= +.05 | AMI, >= 0 | |", "|---|--:|---|--:|--:|---|"]
    for data in results["data"].unique():
        for method in MEASURED:
            for width in TARGET_WIDTHS:
                gain = mean.loc[(data, method, width)] - mean.loc[(data, "rotation", width)]
                met = "met" if gain["kept"] >= KEPT_MORE and gain["AMI"] >= 0 else "missed"
                changes = f"{gain['kept']:+.3f} | {gain['AMI']:+.3f}"
                lines.append(f"| {PAIRS[data]} | {width} | {method} | {changes} | {met} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=("tried", "measure"))
    for folders in ("--corpora", "--embeddings"):
        parser.add_argument(folders, type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    tried = arguments.command == "tried"
    settings, seeds = (TRIED, SEEDS[:1]) if tried else (MEASURED, SEEDS)
    results = []
    for name in (TRIED_ON,) if tried else NAMES:
        file = arguments.out / f"{arguments.command}_{name}.csv"
        if not file.exists():
            pd.DataFrame(measured(name, settings, seeds, arguments)).to_csv(file, index=False)
        results.append(pd.read_csv(file))
    joined = pd.concat(results)
    unseen = joined[joined["rows"] == UNSEEN]
    if tried:
        print(tried_table(unseen))
    else:
        few = tuple(f"{method}, {FEW:,}" for method in ("rotation", *settings))
        fitted = joined[joined["rows"] == FITTED]
        print(table(unseen, ("prefix", "rotation", *settings)))
        print(f"\nFitted to {FEW:,}.\n\n{table(unseen, few)}")
        print(f"\nOn the rows that it was fitted to.\n\n{table(fitted, ('rotation', *settings))}")
        print(f"\n{targets(unseen)}\n\n{steps(unseen)}")
    print(f"\n{machine(PACKAGES)}")


if __name__ == "__main__":
    main()
