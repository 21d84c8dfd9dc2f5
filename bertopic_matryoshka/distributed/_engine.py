"""A task and the items to do it for -> done, by Ray Data or in this process."""

from __future__ import annotations

import os
import pickle
import socket
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka._constraints import check_arguments, choice, number, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Outcome = dict[str, Any]
    Task = Callable[[Any], Outcome]

ENGINES = ("ray", "local")

SECONDS_TO_ANSWER = 5
"""How long a cluster may take to answer; Ray waits for minutes, and then ends the process."""


class Engine:
    """Does tasks for items, in any order.

    Parameters
    ----------
    name : {"ray", "local"}
        "local" does one item after another in this process.
    concurrency : int or None
        Number of Ray workers; None is as many as the cluster has GPUs or CPUs for.
    num_gpus : float
        GPUs of each worker that embeds.

    Raises
    ------
    ImportError
        If Ray is needed and not installed.
    ConnectionError
        If there is an address of a cluster, and nothing answers there.
    """

    def __init__(self, name: str, concurrency: int | None = None, num_gpus: float = 0) -> None:
        check_arguments(
            {"engine": name, "concurrency": concurrency, "num_gpus": num_gpus},
            engine=choice(ENGINES),
            concurrency=whole(1, none=True, remedy="Leave it out for all that the cluster has."),
            num_gpus=number("[0, inf)"),
        )
        self.name = name
        self.concurrency = concurrency
        self.num_gpus = num_gpus
        if name == "ray":
            connect()

    def run(
        self,
        task: Task,
        items: Sequence[Any],
        *,
        keeps_model: bool = False,
        on_gpu: bool = False,
    ) -> list[Outcome]:
        """Do a task for each item.

        Parameters
        ----------
        task : callable
            Doing an item twice must do no harm: where a worker dies, Ray does its item again in
            another one.
        items : sequence
        keeps_model : bool, default=False
            Whether the task loads what is worth keeping for further items. It then gets workers of
            its own, which Ray calls actors, and which take seconds to start.
        on_gpu : bool, default=False
            Whether a worker gets `num_gpus`.

        Returns
        -------
        results : list of dict
            In any order.

        Raises
        ------
        Exception
            The first error of a task, as it was raised.
        """
        if self.name == "local" or not items:
            return [task(item) for item in items]
        return list(self._by_ray(task, items, keeps_model, self.num_gpus * on_gpu))

    def _by_ray(
        self, task: Task, items: Sequence[Any], keeps_model: bool, num_gpus: float
    ) -> Iterator[Outcome]:
        import ray

        resources = ray.cluster_resources()
        room = resources.get("GPU", 0) / num_gpus if num_gpus else resources.get("CPU", 1)
        if room < 1:
            raise ValueError(
                f"num_gpus={num_gpus} is asked for each worker, but the Ray cluster has "
                f"{resources.get('GPU', 0):g} GPUs. Leave it out to embed on CPUs."
            )
        packed = [{"item": pickle.dumps(item)} for item in items]
        size = min(len(items), self.concurrency or int(room))
        how: dict[str, Any]
        if keeps_model:
            pool = ray.data.ActorPoolStrategy(size=size)
            how = {"fn": _Worker, "fn_constructor_args": (task,), "compute": pool}
        else:
            how = {"fn": _Worker(task), "compute": ray.data.TaskPoolStrategy(size)}
        resource = {"num_gpus": num_gpus} if num_gpus else {"num_cpus": 1}
        rows = ray.data.from_items(packed, override_num_blocks=len(packed)).map_batches(
            **how, **resource, batch_size=1
        )
        for row in rows.iter_rows():
            result, error = pickle.loads(row["outcome"])  # noqa: S301  (of our own workers)
            if error is not None:
                raise error
            yield result


class _Worker:
    """Does a task in a Ray worker, which keeps it with the model that it has loaded."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        outcomes = []
        for item in batch["item"]:
            outcome: tuple[Outcome | None, Exception | None]
            try:
                outcome = self.task(pickle.loads(item)), None  # noqa: S301
            except Exception as error:  # noqa: BLE001  (raised in run: Ray keeps its text alone)
                outcome = None, error
            outcomes.append(pickle.dumps(outcome))
        return {"outcome": np.array(outcomes, dtype=object)}


def connect() -> None:
    """Connect to the Ray cluster of RAY_ADDRESS, or to one on this machine, unless connected.

    Raises
    ------
    ImportError
        If Ray is not installed.
    ConnectionError
        If nothing answers at the address.
    """
    if find_spec("ray") is None:
        raise ImportError(
            'fit_distributed needs Ray: pip install "ray[data]", or the extra "ray". '
            'engine="local" needs none, and does all in this process.'
        )
    import ray

    if ray.is_initialized():
        return
    address = os.environ.get("RAY_ADDRESS", "")
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        try:
            socket.create_connection((host, int(port)), SECONDS_TO_ANSWER).close()
        except OSError as error:
            raise ConnectionError(
                f"RAY_ADDRESS={address!r} does not answer: {error}. Start the cluster with `ray "
                "start --head`, correct the address, or unset it for a cluster on this machine."
            ) from error
    ray.init()


def is_ray_dataset(dataset: Any) -> bool:
    """Tell whether something is a Ray Dataset, without importing Ray."""
    return any(cls.__module__.partition(".")[0] == "ray" for cls in type(dataset).__mro__)
