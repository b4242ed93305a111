"""Categories, and answers that come in as rows and as files."""

import gzip
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import httpx
import openpyxl
import pytest

CSV = b"who,answer,age\r\nr1,The staff were kind,41\r\nr2,Too long a wait,\r\nr2,Said twice,30\r\n"


async def test_a_category_is_made_listed_and_read(client: httpx.AsyncClient) -> None:
    reply = await client.post("/categories", json={"name": " NHS ", "question": "What went well?"})

    made = reply.json()
    assert reply.status_code == 201
    assert reply.headers["location"] == f"/api/v1/categories/{made['id']}"
    assert datetime.fromisoformat(made["created_at"]).tzinfo is not None
    assert abs(datetime.now(UTC) - datetime.fromisoformat(made["created_at"])).total_seconds() < 60
    assert {name: made[name] for name in ("name", "question", "n_answers")} == {
        "name": "NHS",
        "question": "What went well?",
        "n_answers": 0,
    }
    assert (await client.get(f"/categories/{made['id']}")).json() == made
    assert (await client.get("/categories")).json() == {"items": [made], "total": 1, "next_cursor": None}


async def test_categories_are_paged_without_loss_or_repetition(client: httpx.AsyncClient) -> None:
    ids = [(await client.post("/categories", json={"name": f"c{n}"})).json()["id"] for n in range(5)]

    seen, cursor = [], {}
    for _ in range(3):
        page = (await client.get("/categories", params={"limit": 2, **cursor})).json()
        assert page["total"] == 5
        seen += [item["id"] for item in page["items"]]
        cursor = {"cursor": page["next_cursor"]}

    assert seen == ids
    assert page["next_cursor"] is None


async def test_a_category_needs_a_name(client: httpx.AsyncClient) -> None:
    replies = [await client.post("/categories", json=body) for body in ({}, {"name": ""}, {"name": "  "})]

    assert {reply.status_code for reply in replies} == {422}


async def test_rows_are_imported_and_counted(client: httpx.AsyncClient, category: Any) -> None:
    category_id = await category([{"text": "first", "external_id": "a"}])
    rows = [{"text": "again", "external_id": "a"}, {"text": "b", "age": 3}, {"text": None}]

    reply = await client.post(f"/categories/{category_id}/answers", json={"rows": rows})

    body = reply.json()
    assert reply.status_code == 201
    assert (body["category_id"], body["source"], body["text_column"]) == (category_id, "api", "text")
    assert body["columns"] == ["text", "external_id", "age"]
    assert (body["n_rows"], body["n_added"], body["n_duplicates"], body["n_bad"]) == (2, 1, 1, 1)
    assert body["bad_rows"] == [{"row": 2, "message": "text: Input should be a valid string"}]
    assert any("1 row repeats" in note for note in body["notes"])
    assert isinstance(body["id"], int)
    assert body["created_at"]
    assert (await client.get(f"/categories/{category_id}")).json()["n_answers"] == 2


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("answers.csv", CSV),
        ("answers.csv.gz", gzip.compress(CSV, mtime=0)),
        ("answers.tsv", CSV.replace(b",", b"\t")),
        ("answers.xlsx", None),
    ],
)
async def test_a_file_is_imported_with_the_columns_asked_for(
    client: httpx.AsyncClient, name: str, data: bytes | None
) -> None:
    category_id = (await client.post("/categories", json={"name": "file"})).json()["id"]

    reply = await client.post(
        f"/categories/{category_id}/answers",
        files={"file": (name, workbook() if data is None else data)},
        data={"text_column": "answer", "id_column": "who"},
    )

    body = reply.json()
    assert reply.status_code == 201, reply.text
    assert (body["source"], body["text_column"]) == (name, "answer")
    assert body["columns"] == ["who", "answer", "age"]
    assert (body["n_rows"], body["n_added"], body["n_duplicates"], body["n_bad"]) == (3, 2, 1, 0)
    listed = (await client.get(f"/categories/{category_id}/answers")).json()
    assert [(item["external_id"], item["text"]) for item in listed["items"]] == [
        ("r1", "The staff were kind"),
        ("r2", "Too long a wait"),
    ]


async def test_the_sheet_of_a_workbook_can_be_chosen(client: httpx.AsyncClient) -> None:
    category_id = (await client.post("/categories", json={"name": "file"})).json()["id"]

    reply = await client.post(
        f"/categories/{category_id}/answers", files={"file": ("a.xlsx", workbook())}, data={"sheet": "nothing"}
    )

    assert reply.status_code == 422
    assert "spring" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("files", "data", "path"),
    [
        ({}, {"text_column": "answer"}, "body.file"),
        ({"file": ("a.csv", CSV)}, {"colour": "red"}, "body.colour"),
        ({"file": ("a.csv", CSV)}, {"sheet": ["a", "b"]}, "body.sheet"),
        ({"upload": ("a.csv", CSV)}, {}, "body.file"),
    ],
)
async def test_a_form_that_is_not_the_one_asked_for_is_refused(
    client: httpx.AsyncClient, category: Any, files: Any, data: Any, path: str
) -> None:
    category_id = await category([{"text": "first"}])
    forced = files or {"text_column": (None, "answer")}  # httpx sends a form of parts only if there is a file

    reply = await client.post(f"/categories/{category_id}/answers", files=forced, data=data if files else {})

    assert reply.status_code == 422, reply.text
    assert path in {each["path"] for each in reply.json()["errors"]}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", CSV, "no column 'verbatim'"),
        ("a.pdf", b"%PDF-1.4", "is a PDF"),
        ("a.xlsx", CSV, "named like a workbook"),
    ],
)
async def test_a_file_that_cannot_be_used_is_refused_and_nothing_is_kept(
    client: httpx.AsyncClient, category: Any, name: str, data: bytes, said: str
) -> None:
    category_id = await category([{"text": "first"}])

    reply = await client.post(
        f"/categories/{category_id}/answers", files={"file": (name, data)}, data={"text_column": "verbatim"}
    )

    assert reply.status_code == 422, reply.text
    assert said in reply.json()["detail"]
    assert (await client.get(f"/categories/{category_id}")).json()["n_answers"] == 1


async def test_strange_characters_are_mended_and_said(client: httpx.AsyncClient, category: Any) -> None:
    category_id = await category([{"text": "first"}])

    body = b'{"rows": [{"text": "a\\u0000b"}, {"text": "half \\ud800 pair", "c\\u0000": "d\\u0000"}]}'
    reply = await client.post(
        f"/categories/{category_id}/answers", content=body, headers={"content-type": "application/json"}
    )

    assert reply.status_code == 201, reply.text
    assert len(reply.json()["notes"]) == 2
    listed = (await client.get(f"/categories/{category_id}/answers")).json()["items"]
    assert [item["text"] for item in listed] == ["first", "ab", "half ? pair"]


async def test_answers_are_searched_and_paged(client: httpx.AsyncClient, category: Any) -> None:
    category_id = await category([{"text": f"{'Good' if n % 2 else 'bad 50%'} {n}"} for n in range(10)])
    path = f"/categories/{category_id}/answers"

    page = (await client.get(path, params={"search": "good", "limit": 3})).json()
    rest = (await client.get(path, params={"search": "good", "limit": 3, "cursor": page["next_cursor"]})).json()
    percent = (await client.get(path, params={"search": "50%"})).json()
    none = (await client.get(path, params={"search": "5_%"})).json()

    assert [item["text"] for item in page["items"] + rest["items"]] == [f"Good {n}" for n in (1, 3, 5, 7, 9)]
    assert rest["next_cursor"] is None
    assert page["total"] == 5
    assert (len(percent["items"]), len(none["items"])) == (5, 0)


@pytest.mark.parametrize("kind", ["rows", "file", "list"])
async def test_an_unknown_category_is_not_found(client: httpx.AsyncClient, kind: str) -> None:
    path = "/categories/77/answers"

    match kind:
        case "rows":
            reply = await client.post(path, json={"rows": [{"text": "a"}]})
        case "file":
            reply = await client.post(path, files={"file": ("a.csv", CSV)})
        case _:
            reply = await client.get(path)

    assert (reply.status_code, reply.json()["detail"]) == (404, "there is no category 77")


def workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "spring"
    for line in CSV.decode().splitlines():
        book.active.append([cell or None for cell in line.split(",")])
    file = BytesIO()
    book.save(file)
    return file.getvalue()
