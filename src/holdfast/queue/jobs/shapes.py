"""Reads JSON values as the types a programmer names: plain ones, lists, mappings, unions, dataclasses, TypedDicts."""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal, TypeAlias, Union, cast
from uuid import UUID

from holdfast.errors import QueueError

# Called with a JSON value and where it stands, e.g. "data.to"; Mismatch when the value is none of the type.
Reader: TypeAlias = Callable[[Any, str], Any]

_SHOWN = 80  # characters of a value in a message


class Mismatch(ValueError):
    """A JSON value is not of the type that was declared."""


def reader_of(kind: Any) -> Reader:
    """The reader of a type; QueueError when there is none."""
    return _Readers().of(kind)


def _refuse(raw: Any, at: str, wanted: str) -> Mismatch:
    shown = repr(raw)
    return Mismatch(f"{at} must be {wanted}, not {shown[:_SHOWN]}{'…' if len(shown) > _SHOWN else ''}")


def _plain(kind: type, accepted: tuple[type, ...], wanted: str) -> Reader:
    def read(raw: Any, at: str) -> Any:
        if not isinstance(raw, accepted) or (isinstance(raw, bool) and kind is not bool):
            raise _refuse(raw, at, wanted)
        return float(cast("float", raw)) if kind is float else raw

    return read


def _made(make: Callable[[Any], Any], wanted: str) -> Reader:
    def read(raw: Any, at: str) -> Any:
        try:
            return make(raw)
        except (ValueError, TypeError) as error:
            raise _refuse(raw, at, wanted) from error

    return read


_PLAIN: dict[Any, Reader] = {
    Any: lambda raw, _: raw,
    object: lambda raw, _: raw,
    str: _plain(str, (str,), "a text"),
    int: _plain(int, (int,), "a whole number"),
    float: _plain(float, (int, float), "a number"),
    bool: _plain(bool, (bool,), "true or false"),
    type(None): _plain(type(None), (type(None),), "null"),
    datetime: _made(datetime.fromisoformat, "a time in ISO 8601"),
    date: _made(date.fromisoformat, "a date in ISO 8601"),
    UUID: _made(UUID, "a UUID"),
}


class _Readers:
    """Makes readers; a type that holds itself gets the reader that is being made."""

    def __init__(self) -> None:
        self._made: dict[Any, Reader] = {}
        self._begun: set[Any] = set()

    def of(self, kind: Any) -> Reader:
        kind = type(None) if kind is None else kind
        if kind in _PLAIN:
            return _PLAIN[kind]
        if kind in self._begun:
            return self._later(kind)
        origin, args = typing.get_origin(kind), typing.get_args(kind)
        if origin is typing.Annotated or origin in (typing.Required, typing.NotRequired):
            return self.of(args[0])
        if origin is not None:
            return self._generic(kind, origin, args)
        return self._named(kind)

    def _later(self, kind: Any) -> Reader:
        def read(raw: Any, at: str) -> Any:
            return self._made[kind](raw, at)

        return read

    def _generic(self, kind: Any, origin: Any, args: tuple[Any, ...]) -> Reader:
        if origin is Literal:
            return _one_of(args)
        if origin in (Union, types.UnionType):
            return _either([self.of(arg) for arg in args])
        if origin is tuple and args[-1:] != (...,):
            return _row([self.of(arg) for arg in args])
        if isinstance(origin, type) and issubclass(origin, Mapping) and args[0] is str:
            return _mapping(self.of(args[1]))
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return _sequence(self.of(args[0]), tuple if origin is tuple else list)
        raise _unknown(kind)

    def _named(self, kind: Any) -> Reader:
        if hasattr(kind, "__supertype__"):  # a NewType
            return self.of(kind.__supertype__)
        if kind in (dict, list):
            return _plain(kind, (kind,), "an object" if kind is dict else "a list")
        if isinstance(kind, type) and issubclass(kind, Enum):
            return _made(kind, f"one of {[each.value for each in kind]}")
        if dataclasses.is_dataclass(kind) or typing.is_typeddict(kind):
            self._begun.add(kind)
            self._made[kind] = self._record(kind)
            return self._made[kind]
        raise _unknown(kind)

    def _record(self, kind: Any) -> Reader:
        hints = typing.get_type_hints(kind, include_extras=True)
        if dataclasses.is_dataclass(kind):
            fields = [field for field in dataclasses.fields(kind) if field.init]
            names = [field.name for field in fields]
            needed = {
                field.name
                for field in fields
                if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            }
        else:
            names, needed = list(hints), set(kind.__required_keys__)
        readers = {name: self.of(hints[name]) for name in names}

        def read(raw: Any, at: str) -> Any:
            if not isinstance(raw, dict):
                raise _refuse(raw, at, f"an object ({kind.__name__})")
            if missing := needed - raw.keys():
                raise Mismatch(f"{at} lacks {', '.join(sorted(missing))}")
            # Others are left out: a newer producer may say more.
            return kind(**{name: readers[name](raw[name], f"{at}.{name}") for name in names if name in raw})

        return read


def _unknown(kind: Any) -> QueueError:
    return QueueError(f"{kind!r} cannot be read from JSON; give an object with encode and decode instead")


def _one_of(values: tuple[Any, ...]) -> Reader:
    def read(raw: Any, at: str) -> Any:
        if not any(raw == value and type(raw) is type(value) for value in values):
            raise _refuse(raw, at, f"one of {list(values)}")
        return raw

    return read


def _either(readers: list[Reader]) -> Reader:
    def read(raw: Any, at: str) -> Any:
        reasons = []
        for each in readers:
            try:
                return each(raw, at)
            except Mismatch as mismatch:
                reasons.append(str(mismatch))
        raise Mismatch("; or ".join(reasons))

    return read


def _row(readers: list[Reader]) -> Reader:
    def read(raw: Any, at: str) -> Any:
        if not isinstance(raw, list) or len(raw) != len(readers):
            raise _refuse(raw, at, f"a list of {len(readers)}")
        return tuple(each(value, f"{at}[{i}]") for i, (each, value) in enumerate(zip(readers, raw, strict=True)))

    return read


def _sequence(reader: Reader, make: Callable[[list[Any]], Any]) -> Reader:
    def read(raw: Any, at: str) -> Any:
        if not isinstance(raw, list):
            raise _refuse(raw, at, "a list")
        return make([reader(value, f"{at}[{i}]") for i, value in enumerate(raw)])

    return read


def _mapping(reader: Reader) -> Reader:
    def read(raw: Any, at: str) -> Any:
        if not isinstance(raw, dict):
            raise _refuse(raw, at, "an object")
        return {key: reader(value, f"{at}.{key}") for key, value in raw.items()}

    return read
