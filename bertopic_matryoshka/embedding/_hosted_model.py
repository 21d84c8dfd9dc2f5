"""A hosted backend -> what is saved of it, never a key or an address; and a backend from that."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from typing import Any

from bertopic_matryoshka.embedding._hosted import SERVICES, Service, service_of


@dataclass(frozen=True)
class HostedModel:
    """A hosted backend without its client, which its library makes from the environment.

    Attributes
    ----------
    backend : {"OpenAIBackend", "CohereBackend"}
    name : str
        Name of the model.
    options : dict
        The arguments of its requests that the rows depend on, of the service's `options`.
    batch_size : int or None
    delay_in_seconds : float or None
    has_own_address : bool
        Whether its texts went where the service's environment variable says.
    """

    backend: str
    name: str
    options: dict[str, Any]
    batch_size: int | None
    delay_in_seconds: float | None
    has_own_address: bool

    @classmethod
    def of(cls, model: Any) -> HostedModel:
        """Describe a backend whose client the environment makes again.

        Raises
        ------
        ValueError
            If it cannot be described without an address, a header or the like.
        """
        service = service_of(model)
        if service is None:
            raise ValueError(f"Nothing is known by which to make {type(model).__name__} again.")
        arguments = {k: v for k, v in getattr(model, service.arguments).items() if k != "model"}
        if unsaved := sorted(set(arguments) - service.options):
            raise ValueError(
                f"{service.arguments} of {service.backend} has {', '.join(unsaved)}, which may "
                "hold what must not be saved."
            )
        library = sys.modules.get(service.library)
        if type(model.client) is not getattr(library, service.client, None):
            raise ValueError(
                f"The client of {service.backend} is a {type(model.client).__name__}, and only "
                f"{service.library}.{service.client} is made from the environment."
            )
        address = _address_of(model.client)
        is_own = address != service.address
        if is_own and address != os.environ.get(service.variable, "").rstrip("/"):
            raise ValueError(
                f"The client of {service.backend} has an address of its own, which is not saved. "
                f"The environment variable {service.variable} would be asked for."
            )
        return cls.from_recipe(
            {
                "backend": service.backend,
                "name": model.embedding_model,
                "options": arguments,
                "batch_size": model.batch_size,
                "delay_in_seconds": model.delay_in_seconds,
                "has_own_address": is_own,
            }
        )

    @classmethod
    def from_recipe(cls, recipe: Any) -> HostedModel:
        """Check what :meth:`recipe` gave, perhaps read from a file that others can write.

        Raises
        ------
        ValueError
            If something in it is not what a recipe has; the message names it.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(recipe, dict) or set(recipe) != names:
            raise ValueError(f"hosted={recipe!r:.80} must have {', '.join(sorted(names))}.")
        model = cls(**recipe)
        services = [service for service in SERVICES if service.backend == model.backend]
        if not services:
            known = ", ".join(service.backend for service in SERVICES)
            raise ValueError(f"hosted has backend={model.backend!r:.80}; it must be of {known}.")
        allowed = services[0].options
        is_right = {
            "name": isinstance(model.name, str) and bool(model.name),
            "options": isinstance(model.options, dict)
            and set(model.options) <= allowed
            and all(type(value) in (str, int) for value in model.options.values()),
            "batch_size": model.batch_size is None
            or (type(model.batch_size) is int and model.batch_size >= 1),
            "delay_in_seconds": model.delay_in_seconds is None
            or (type(model.delay_in_seconds) in (int, float) and model.delay_in_seconds >= 0),
            "has_own_address": type(model.has_own_address) is bool,
        }
        for part, right in is_right.items():
            if not right:
                raise ValueError(
                    f"hosted has {part}={getattr(model, part)!r:.80}, which is none of "
                    f"{model.backend}'s. Its options may be {', '.join(sorted(allowed))}."
                )
        return model

    def recipe(self) -> dict[str, Any]:
        """Return the fields, as JSON types."""
        return asdict(self)

    @property
    def service(self) -> Service:
        """The service that it is hosted by."""
        return next(service for service in SERVICES if service.backend == self.backend)

    def build(self) -> Any:
        """Make the backend, with the client that its library makes from the environment.

        Raises
        ------
        ImportError
            If the library is missing.
        ValueError
            If its texts went to an address that the environment does not give.
        """
        service = self.service
        try:
            library, module = import_module(service.library), import_module(service.module)
        except ImportError as error:
            raise ImportError(
                f"{self.name} is a hosted model and needs {service.library}: "
                f"pip install {service.library}."
            ) from error
        client = getattr(library, service.client)()
        # Some libraries read the variable only when they are imported.
        if self.has_own_address and _address_of(client) == service.address:
            raise ValueError(
                f"{self.name} was reached at an address of its own, which is not saved. Set the "
                f"environment variable {service.variable} before Python starts, or pass "
                "backend=... at loading."
            )
        return getattr(module, service.backend)(
            client,
            self.name,
            batch_size=self.batch_size,
            delay_in_seconds=self.delay_in_seconds,
            **{service.arguments: dict(self.options)},
        )


def _address_of(client: Any) -> str:
    """Where a client sends texts; Cohere's tells by nothing public."""
    address = getattr(client, "base_url", None)
    if address is None:
        address = client._client_wrapper.get_base_url()  # noqa: SLF001
    return str(address).rstrip("/")
