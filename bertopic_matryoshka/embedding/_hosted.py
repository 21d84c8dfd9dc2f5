"""BERTopic's backends of hosted models: their services, and how these are asked for a width."""

from __future__ import annotations

import copy
import re
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Service:
    """A service that embeds texts, and BERTopic's backend of it.

    Attributes
    ----------
    module, backend : str
        Module and class of BERTopic's backend.
    arguments : str
        The backend's attribute with the arguments of each request.
    names : str
        Pattern of its Matryoshka models' names.
    width : str or None
        Argument of a request for fewer dimensions; None where BERTopic's client has none.
    batch_size : int or None
        Number of texts that the client sends in a request of its own accord; None if all.
    """

    module: str
    backend: str
    arguments: str
    names: str
    width: str | None = None
    batch_size: int | None = None


SERVICES = (
    Service(
        module="bertopic.backend._openai",
        backend="OpenAIBackend",
        arguments="generator_kwargs",
        names=r"text-embedding-3-(small|large)",
        width="dimensions",
    ),
    Service(
        module="bertopic.backend._cohere",
        backend="CohereBackend",
        arguments="embed_kwargs",
        names=r"embed-v4\.0",
        batch_size=96,
    ),
)


def service_of(model: Any) -> Service | None:
    """Find the service of one of BERTopic's backends; None for other models.

    A subclass may send other requests, and counts as any other backend.
    """
    for service in SERVICES:
        module = sys.modules.get(service.module)  # imported, if there is such a backend
        if module is not None and type(model) is getattr(module, service.backend):
            return service
    return None


def refuse_hosted_name(name: str) -> None:
    """Refuse a hosted model's name, which no model hub has.

    Raises
    ------
    ValueError
        With the backend that reaches it.
    """
    for service in SERVICES:
        if re.fullmatch(service.names, name):
            raise ValueError(
                f"model={name!r} is a hosted model, which needs a client: pass BERTopic's backend, "
                f"{service.backend}(client, {name!r}, {service.arguments}={{}})."
            )


def own_width(model: Any) -> int | None:
    """Width that a hosted backend was told to ask for; None for its model's full width."""
    service = service_of(model)
    if service is None or service.width is None:
        return None
    width: int | None = getattr(model, service.arguments).get(service.width)
    return width


def takes_width(model: Any) -> bool:
    """Whether the service of a backend truncates, as is known of its model or told to it."""
    service = service_of(model)
    if service is None or service.width is None:
        return False
    is_known = re.fullmatch(service.names, str(model.embedding_model)) is not None
    return is_known or own_width(model) is not None


def with_width(model: Any, width: int | None) -> Any:
    """Copy a backend that takes a width, to ask for that one; None is the full width."""
    service = service_of(model)
    assert service is not None  # noqa: S101  (it takes a width)
    arguments = dict(getattr(model, service.arguments))
    arguments.pop(service.width, None)
    if width is not None:
        arguments[service.width] = width
    asking = copy.copy(model)
    setattr(asking, service.arguments, arguments)
    return asking
