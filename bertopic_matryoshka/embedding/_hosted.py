"""BERTopic's backends of hosted models: their services, and how these are asked for a width."""

from __future__ import annotations

import copy
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Service:
    """A service that embeds texts, BERTopic's backend of it, and the client in that.

    Attributes
    ----------
    module, backend : str
        Module and class of BERTopic's backend.
    library, client : str
        Module and class of the client; without arguments, it is made from the environment.
    address, variable : str
        Where the client sends texts by itself, and the environment variable for another place.
    arguments : str
        The backend's attribute with the arguments of each request.
    options : frozenset of str
        Those of the arguments that the rows depend on, and that may be saved.
    names : str
        Pattern of its Matryoshka models' names.
    width : str or None
        Argument of a request for fewer dimensions; None where BERTopic's client has none.
    batch_size : int or None
        Number of texts that the client sends in a request of its own accord; None if all.
    """

    module: str
    backend: str
    library: str
    client: str
    address: str
    variable: str
    arguments: str
    options: frozenset[str]
    names: str
    width: str | None = None
    batch_size: int | None = None

    def own_width(self, arguments: Mapping[str, Any]) -> int | None:
        """Width that is asked for by the arguments; None is the full width."""
        width: int | None = arguments.get(self.width) if self.width else None
        return width

    def truncates(self, name: str, arguments: Mapping[str, Any]) -> bool:
        """Whether it gives fewer dimensions, as is known of the model or said in the arguments."""
        if self.width is None:
            return False
        return bool(re.fullmatch(self.names, name) or self.own_width(arguments))

    def with_width(self, backend: Any, width: int | None) -> Any:
        """Copy a backend, to ask for this width; None is the full width."""
        arguments = dict(getattr(backend, self.arguments))
        arguments.pop(self.width, None)
        if width is not None:
            arguments[self.width] = width
        asking = copy.copy(backend)
        setattr(asking, self.arguments, arguments)
        return asking


SERVICES = (
    Service(
        module="bertopic.backend._openai",
        backend="OpenAIBackend",
        library="openai",
        client="OpenAI",
        address="https://api.openai.com/v1",
        variable="OPENAI_BASE_URL",
        arguments="generator_kwargs",
        options=frozenset({"dimensions", "encoding_format"}),
        names=r"text-embedding-3-(small|large)",
        width="dimensions",
    ),
    Service(
        module="bertopic.backend._cohere",
        backend="CohereBackend",
        library="cohere",
        client="Client",
        address="https://api.cohere.com",
        variable="CO_API_URL",
        arguments="embed_kwargs",
        options=frozenset({"input_type", "truncate"}),
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
