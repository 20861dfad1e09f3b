"""Help of the command line: the types of options, and an example of each command."""

import dataclasses
import inspect
import types
import typing
from typing import Any

from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

TYPES = ConstructorRegistry()


@TYPES.primitive_rule
def _optional(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
    """Show `int | None` as `INT`, not as `{None}|INT`; the argument may still be `None`."""
    kinds = set(typing.get_args(info.type))
    if types.NoneType not in kinds or len(kinds) != 2:
        return None
    (kind,) = kinds - {types.NoneType}
    spec = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(kind, info.markers))
    return dataclasses.replace(
        spec,
        instance_from_str=lambda words: (
            None if words == ["None"] else spec.instance_from_str(words)
        ),
        is_instance=lambda value: value is None or spec.is_instance(value),
        str_from_instance=lambda value: (
            ["None"] if value is None else spec.str_from_instance(value)
        ),
        choices=spec.choices and (*spec.choices, "None"),
    )


@TYPES.primitive_rule
def _number(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
    """Say that a word is not a number in plain words."""
    if info.type not in (int, float):
        return None
    kind = "whole number" if info.type is int else "number"

    def parse(words: list[str]) -> float:
        try:
            return info.type(words[0])
        except ValueError:
            raise ValueError(f"{words[0]!r} is not a {kind}") from None

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=info.type.__name__.upper(),
        instance_from_str=parse,
        is_instance=lambda value: isinstance(value, info.type) and not isinstance(value, bool),
        str_from_instance=lambda value: [str(value)],
    )


@TYPES.primitive_rule
def _strings(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
    """Show `tuple[str, ...]` as `STR ...`, not as `[STR [STR ...]]`."""
    if info.type != tuple[str, ...]:
        return None
    return PrimitiveConstructorSpec(
        nargs="*",
        metavar="STR ...",
        instance_from_str=tuple,
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: list(value) or ["none"],
    )


def described(command: Any, example: str) -> str:
    """Return the description of a command: its docstring and an example."""
    return f"{inspect.getdoc(typing.get_origin(command) or command)}\n\nExample:\n  {example}"
