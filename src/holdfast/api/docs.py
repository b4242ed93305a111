"""The page at /docs: the whole API on one page of our own, which works without a network and runs no foreign script."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, TypeAlias

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from holdfast.api.limits import FORM, JSON

Schema: TypeAlias = Mapping[str, Any]

router = APIRouter(include_in_schema=False)

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1, h2, h3 { line-height: 1.2; margin-top: 2.5rem }
h3 { border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 1.5rem }
code, pre { font: 0.9em/1.45 ui-monospace, monospace }
pre { background: var(--soft); padding: 0.75rem; overflow-x: auto; white-space: pre-wrap }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem }
td, th { text-align: left; vertical-align: top; padding: 0.3rem 0.75rem 0.3rem 0; border-bottom: 1px solid var(--line) }
"""


@router.get("/docs")
async def read_docs(request: Request) -> HTMLResponse:
    """The page."""
    here = str(request.base_url).rstrip("/")
    return HTMLResponse(page(request.app.openapi(), here), headers={"Content-Security-Policy": POLICY})


def page(openapi: Schema, here: str) -> str:
    """The API's description as HTML, with commands for the server at `here`."""
    info = openapi["info"]
    title = f"{escape(info['title'])} API {escape(info['version'])}"
    return "".join(
        [
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
            f"<h1>{title}</h1><pre>{escape(info['description'])}</pre>",
            '<p>For programs: <a href="openapi.json">openapi.json</a>. Once the server has keys, send one as ',
            "<code>Authorization: Bearer …</code> or <code>X-API-Key: …</code>.</p>",
            *_operations(openapi, here),
            "<h2>Bodies</h2>",
            *(_body(name, schema) for name, schema in sorted(openapi["components"]["schemas"].items())),
            "</body></html>",
        ]
    )


def _operations(openapi: Schema, here: str) -> Iterator[str]:
    group, bodies = "", openapi["components"]["schemas"]
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            tag = operation["tags"][0]
            if tag != group:
                group = tag
                yield f"<h2>{escape(tag.capitalize())}</h2>"
            yield _operation(method.upper(), path, operation)
            yield from _commands(method.upper(), here + path, operation, bodies)


def _operation(method: str, path: str, operation: Schema) -> str:
    body = operation.get("requestBody", {}).get("content", {})
    fields = [
        (f"{each['name']} ({each['in']})", each["schema"], each.get("description", ""), each["required"])
        for each in operation.get("parameters", [])
    ]
    takes = "".join(f"<p>Body, <code>{escape(kind)}</code>: {_type(part['schema'])}</p>" for kind, part in body.items())
    return "".join(
        [
            f"<h3><code>{method} {escape(path)}</code></h3><p>{_text(operation.get('description', ''))}</p>",
            _table(fields),
            takes,
            "<p>Replies: ",
            "; ".join(_replies(operation["responses"])),
            "</p>",
        ]
    )


def _replies(responses: Schema) -> Iterator[str]:
    problems = [status for status in responses if status >= "400"]
    for status in sorted(set(responses) - set(problems)):
        kinds = [_type(part["schema"]) for part in responses[status].get("content", {}).values()]
        yield f"<b>{status}</b> {' or '.join(kinds) or escape(responses[status]['description'])}"
    if problems:
        yield f"<b>{', '.join(problems)}</b> {_type({'$ref': 'ProblemBody'})}"


def _commands(method: str, url: str, operation: Schema, bodies: Schema) -> Iterator[str]:
    """How to ask for it in a shell."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        yield _pre(f"curl {'' if method == 'GET' else f'-X {method} '}{url}")
    if FORM in content:
        yield _pre(f"curl -F file=@answers.csv -F text_column=answer {url}")
    name = content.get(JSON, {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    for example in bodies.get(name, {}).get("examples", ()):
        said = json.dumps(example, ensure_ascii=False).replace("'", "'\\''")
        yield _pre(f"curl -H 'Content-Type: application/json' -d '{said}' {url}")


def _body(name: str, schema: Schema) -> str:
    required = set(schema.get("required", ()))
    fields = [
        (field, part, part.get("description", ""), field in required)
        for field, part in schema.get("properties", {}).items()
    ]
    head = f'<h3 id="{escape(name)}"><code>{escape(name)}</code></h3><p>{_text(schema.get("description", ""))}</p>'
    return head + _table(fields)


def _table(fields: list[tuple[str, Schema, str, bool]]) -> str:
    if not fields:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_type(schema)}{'' if required else _default(schema)}</td>"
        f"<td>{_text(description)}</td></tr>"
        for name, schema, description, required in fields
    )
    return f"<table><tr><th>Field</th><th>Type</th><th></th></tr>{rows}</table>"


def _default(schema: Schema) -> str:
    return f" = {escape(json.dumps(schema['default'], ensure_ascii=False))}" if "default" in schema else ", optional"


def _type(schema: Schema) -> str:
    match schema:
        case {"$ref": ref}:
            name = escape(str(ref).rpartition("/")[2])
            return f'<a href="#{name}">{name}</a>'
        case {"anyOf": [*choices]}:
            return " or ".join(dict.fromkeys(_type(choice) for choice in choices))
        case {"enum": [*words]} | {"const": words}:
            return " | ".join(escape(str(word)) for word in (words if isinstance(words, list) else [words]))
        case {"type": "array", "items": items}:
            return f"list of {_type(items)}"
        case {"type": "object", "properties": properties}:
            return f"a form with {', '.join(f'<code>{escape(name)}</code>' for name in properties)}"
        case _:
            return escape(str(schema.get("type", "any value"))) + _range(schema)


def _range(schema: Schema) -> str:
    if "minimum" in schema and "maximum" in schema and schema["maximum"] < 2**32:
        return f" {schema['minimum']:g}..{schema['maximum']:g}"
    if "maxLength" in schema:
        return f" of at most {schema['maxLength']} characters"
    return f" ({escape(schema['format'])})" if "format" in schema else ""


def _pre(command: str) -> str:
    return f"<pre>{escape(command, quote=False)}</pre>"


def _text(words: str) -> str:
    return escape(words, quote=False).replace("\n\n", "</p><p>")
