"""A value that fits a JSON Schema, made of a prompt's own words."""

import re
from collections.abc import Mapping
from functools import cache
from itertools import count
from typing import Any, TypeAlias

from holdfast.stub.material import Material

Schema: TypeAlias = Mapping[str, Any]

MOST_DEPTH = 12  # a schema that refers to itself ends here

_QUOTE = re.compile(r"quote|verbatim|excerpt|evidence|example|exemplar|answer|text", re.IGNORECASE)
_ID = re.compile(r"(?:^|_)(?:id|ids|ref|refs|number|index)$", re.IGNORECASE)
_NAME = re.compile(r"name|label|title|theme|code|topic|keyphrase|keyword|alternative", re.IGNORECASE)


@cache
def _is(kind: re.Pattern[str], name: str) -> bool:
    """Whether a property is of the kind; asked for the same few names again and again."""
    return kind.search(name) is not None


class Filler:
    """Makes one reply; items of a list differ from each other as far as the prompt allows."""

    def __init__(self, root: Schema, material: Material) -> None:
        self._root = root
        self._material = material
        self._names, self._quotes, self._ids = count(), count(), count()

    def value(self, schema: Schema, name: str = "", depth: int = 0) -> Any:
        """A value for one place of the schema; `name` is the property it stands in."""
        schema = self._resolved(schema)
        if fixed := [schema["const"]] if "const" in schema else schema.get("enum"):
            return fixed[0]
        match _type(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case kind:
                return self._single(kind, schema, name)

    def _single(self, kind: str, schema: Schema, name: str) -> str | float | bool | None:
        match kind:
            case "integer":
                return int(self._number(schema, name))
            case "number":
                return self._number(schema, name)
            case "boolean" | "null":
                return True if kind == "boolean" else None
            case _:
                return self._string(schema, name)

    def _resolved(self, schema: Schema) -> Schema:
        """The schema with its references and choices taken: the first branch that is not null."""
        for _ in range(MOST_DEPTH):
            if "$ref" in schema:
                schema = self._referred(schema["$ref"])
            elif branches := schema.get("anyOf") or schema.get("oneOf"):
                schema = next((each for each in branches if each.get("type") != "null"), branches[0])
            elif "allOf" in schema:
                parts = [self._resolved(part) for part in schema["allOf"]]
                rest = {key: value for key, value in schema.items() if key != "allOf"}
                schema = {key: value for part in [*parts, rest] for key, value in part.items()}
            else:
                break
        return schema

    def _referred(self, reference: str) -> Schema:
        found: Any = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            found = found[part] if part else found
        return dict(found)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        wanted = properties if depth < MOST_DEPTH else {key: properties[key] for key in schema.get("required", ())}
        return {key: self.value(inner, key, depth + 1) for key, inner in wanted.items()}

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        if "prefixItems" in schema:
            return [self.value(inner, name, depth + 1) for inner in schema["prefixItems"]]
        usual = 2 if depth < MOST_DEPTH else 0
        if self._material.answers and (_is(_QUOTE, name) or _is(_ID, name)):
            usual = min(3, len(self._material.answers))
        length = min(max(usual, schema.get("minItems", 0)), schema.get("maxItems", usual + schema.get("minItems", 0)))
        return [self.value(schema.get("items", {}), name, depth + 1) for _ in range(length)]

    def _number(self, schema: Schema, name: str) -> float:
        wanted = self._id() if _is(_ID, name) or _is(_QUOTE, name) else ""
        number: float = int(wanted) if wanted.isdecimal() else 0.8 if _type(schema) == "number" else 1
        low: float = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        high: float = schema.get("maximum", max(number, low))
        return min(max(number, low), high)

    def _string(self, schema: Schema, name: str) -> str:
        if schema.get("format") == "date":
            return "2026-01-01"
        if schema.get("format") == "date-time":
            return "2026-01-01T00:00:00Z"
        text = self._words_for(name)
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        while len(text) < least:
            text += f" {text}"
        return text if most is None else text[:most].rstrip() or text[:most]

    def _words_for(self, name: str) -> str:
        if _is(_ID, name) and self._material.answers:
            return self._id()
        if _is(_NAME, name):
            return self._name()
        if _is(_QUOTE, name) and self._material.answers:
            return self._material.answers[next(self._quotes) % len(self._material.answers)][1]
        return f"Answers about {self._listed(4)}."

    def _id(self) -> str:
        if not self._material.answers:
            return ""
        place = next(self._ids) % len(self._material.answers)
        return self._material.answers[place][0] or str(place + 1)

    def _name(self) -> str:
        words, nth = self._material.words, next(self._names)
        start = nth * 3 % len(words)
        chosen = words[start : start + 3] or words[:3]
        extra = "" if nth * 3 < len(words) else f" {nth + 1}"
        return (" ".join(chosen) + extra).capitalize()

    def _listed(self, n: int) -> str:
        words = self._material.words[:n]
        return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _type(schema: Schema) -> str:
    kind = schema.get("type") or ("object" if "properties" in schema else "array" if "items" in schema else "string")
    return str(kind) if isinstance(kind, str) else next((each for each in kind if each != "null"), "null")
