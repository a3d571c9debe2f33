"""The ``{view}`` segment of an address: operations in order, such as ``window,low=0,high=4095~project,axis=z``.

A value is spelled as the operation's parameters say, without ``/ ~ , =`` or control characters. The canonical
spelling leaves defaults out, keeps the declared order of the parameters, and writes numbers as short as they go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import ValidationError

from diascope.errors import BadRequest, NotFound, TooLarge
from diascope.image.claimed import claimed
from diascope.image.image import Image
from diascope.operations.operation import Files, Images, Operation, Parameters, no_files, no_images
from diascope.operations.unlocal import REASONS
from diascope.operations.values import number_spelled
from diascope.registry import registry

ORIGINAL = "original"

LONGEST = 2000
"""How many characters a view has at most."""

MOST_STEPS = 32
"""How many operations a view has at most."""

COSTLY = 16
"""An operation that makes one pixel of so many is not done again for each style that its result is shown in."""

Keep: TypeAlias = Callable[[Image, str], Image]
"""Wraps an image that a view made, spelled so, in a cache."""

LONGEST_CHAIN = 16
"""How many files that begin from one another are looked at."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation with its parameters."""

    operation: Operation[Any]
    parameters: Parameters

    def __str__(self) -> str:
        """The canonical spelling."""
        fields = type(self.parameters).model_fields
        values = {name: getattr(self.parameters, name) for name in fields}
        given = {name: value for name, value in values.items() if value != fields[name].get_default()}
        return ",".join([self.operation.name, *(f"{name}={spelled(value)}" for name, value in given.items())])


@dataclass(frozen=True, slots=True)
class View:
    """Operations in order; none is the image as it is."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "~".join(map(str, self.steps)) or ORIGINAL

    def applied(self, image: Image, keep: Keep | None = None) -> Image:
        """The image after the operations; raises BadRequest or Unsupported where one does not fit it.

        What an operation makes out of many pixels each is handed to ``keep``, with how the view is spelled so far.
        """
        steps = self.settled(image).steps
        for k, step in enumerate(steps):
            before = image.levels[0].cost
            image = step.operation.apply(image, step.parameters)
            # What is interpolated from another image is not kept: the next map interpolates that one.
            if keep and image.levels[0].cost >= COSTLY * before and image.resampling is None:
                image = keep(image, str(View(steps[: k + 1])))
        return image

    def claiming(self, image: Image, keep: Keep | None = None) -> Image:
        """The same for whoever reads it only: what its pixels take is claimed first (``diascope.work``)."""
        made = self.applied(image, keep)
        return made if made is image else claimed(made)

    @property
    def may_look(self) -> bool:
        """Whether an operation may have to look at pixels or files before it is known what it does."""
        return any(step.operation.settled or step.operation.opened for step in self.steps)

    def files(self, files: Files) -> tuple[str, ...]:
        """The names of the files beside the image that are looked at, of which those are read that may name others."""
        return tuple(
            each
            for step in self.steps
            if step.operation.files
            for name in step.operation.files(step.parameters)
            for each in _chain(step.operation, name, files)
        )

    @property
    def images(self) -> tuple[str, ...]:
        """The names of the files beside the image that are opened as images."""
        return tuple(
            name for step in self.steps if step.operation.images for name in step.operation.images(step.parameters)
        )

    def settled(self, image: Image, files: Files = no_files, images: Images = no_images) -> View:
        """The same view on this image, told by parameters alone: what pixels or files decide is written down."""
        if not self.may_look:
            return self
        steps: list[Step] = []
        for step in self.steps:
            made = _settled(step, image, files, images)
            for each in made:
                image = each.operation.apply(image, each.parameters)
            steps += made
        return View(tuple(steps))


def _chain(operation: Operation[Any], name: str, files: Files) -> list[str]:
    """A file, the one that it begins from, and so on."""
    chain = [name]
    while operation.begun and len(chain) < LONGEST_CHAIN:
        further = operation.begun(files(chain[-1]))
        if further is None or further in chain:
            break
        chain.append(further)
    return chain


def _settled(step: Step, image: Image, files: Files, images: Images) -> tuple[Step, ...]:
    if step.operation.opened and (opened := step.operation.opened(image, step.parameters, images)) is not None:
        step = Step(step.operation, opened)
    told = step.operation.settled(image, step.parameters, files) if step.operation.settled else None
    if isinstance(told, str):
        return view(told).steps
    return (step if told is None else Step(step.operation, told),)


def view(text: str, saved: Mapping[str, str] | None = None) -> View:
    """The view that a text spells, in whatever order and form; ``@name`` stands for a saved one.

    Raises BadRequest with what is wrong in which operation, NotFound where it rather is the name of a file.
    """
    if text.startswith("@"):
        text = _saved(text, saved or {})
    if text == ORIGINAL:
        return View(())
    if len(text) > LONGEST:
        raise TooLarge(f"the view is {len(text)} characters long; the limit is {LONGEST}")
    steps = text.split("~")
    if len(steps) > MOST_STEPS:
        raise TooLarge(f"the view has {len(steps)} operations; the limit is {MOST_STEPS}")
    return View(tuple(map(_step, steps)))


def _saved(text: str, saved: Mapping[str, str]) -> str:
    if text[1:] not in saved:
        raise BadRequest(f"there is no saved view {text!r}; there are: {', '.join(sorted(saved)) or 'none'}")
    return saved[text[1:]]


def _step(text: str) -> Step:
    name, *pairs = text.split(",")
    operations = registry("operations")
    if name in REASONS and name not in operations:
        raise BadRequest(f"{name!r} is no operation, for it cannot be read a part at a time: {REASONS[name]}")
    if name not in operations:
        # Tools look for files such as attributes.json in all the folders above theirs, and no operation has a dot.
        error = NotFound if "." in name else BadRequest
        raise error(f"{name!r} is no operation; there are: {', '.join(operations)}")
    values: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or key in values:
            raise BadRequest(f"{pair!r} in {text!r} is not one key=value, or comes twice")
        values[key] = value
    operation = operations[name]
    try:
        return Step(operation, operation.parameters.model_validate(values))
    except ValidationError as error:
        raise BadRequest(f"{name}: {_explained(error)}") from error


def _explained(error: ValidationError) -> str:
    """Every mistake as ``field: what is wrong``."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'parameters'}: {e['msg']}" for e in error.errors())


def spelled(value: Any) -> str:
    """A value as it stands in an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_spelled(value)
    if isinstance(value, tuple):
        return "+".join(map(spelled, value))
    return str(value)
