"""What a person says of a finished generation's answers over HTTP, and the files it comes as."""

import csv
import io
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest


@pytest.mark.usefixtures("worker")
async def test_a_finished_codeframe_is_exported_confirmed_compared_and_asks_for_more(
    client: httpx.AsyncClient, sixty: int, followed: Any
) -> None:
    asked = {"category_id": sixty, "n_clusters": 4, "config": {"hierarchy_preference": "flat"}}
    generation_id = (await client.post("/codeframe/generate", json=asked)).json()["generation_id"]
    at = f"/codeframe/{generation_id}"
    if (early := await client.get(f"{at}/export")).status_code != 200:
        assert early.status_code == 409
        assert "has no codeframe" in early.json()["detail"]

    assert (await followed(generation_id))[-1].data["status"] == "completed"

    await check_files(client, at)
    await check_confirming(client, at)
    await check_assignments(client, at)
    await check_refusals(client, at)
    await check_next_wave(client, sixty, generation_id, followed)
    await check_examples(client, sixty, generation_id, followed)


async def check_next_wave(client: httpx.AsyncClient, category_id: int, generation_id: str, followed: Any) -> None:
    said = {each["text"] for each in (await client.get(f"/codeframe/{generation_id}/confirmations")).json()["items"]}
    last = (await client.get(f"/codeframe/{generation_id}/export", params={"format": "json"})).json()
    other = next(row for row in last["answers"] if row["text"] not in said and row["code"] != "Other")
    example = {"text": other["text"], "codes": ["Other"]}
    asked = {"category_id": category_id, "config": {"frame_of": generation_id, "examples": [example]}}
    again = (await client.post("/codeframe/generate", json=asked)).json()["generation_id"]
    last = (await followed(again))[-1].data
    assert (last["status"], last["progress"], last["n_clusters"]) == ("completed", 100, 0), last["error"]
    at, before = f"/codeframe/{again}", f"/codeframe/{generation_id}"

    tables = [(await client.get(f"{each}/export", params={"format": "json"})).json() for each in (before, at)]
    codes = [{row["number"]: row["code"] for row in table["codeframe"] if row["number"] < 995} for table in tables]
    assert codes[0] == codes[1]
    assert sum(row["answers"] for row in tables[1]["codeframe"]) >= len(tables[1]["answers"]) == 60
    names = {row["number"]: row["code"] for row in tables[1]["codeframe"]} | {995: "Other"}
    coded = {row["text"]: row["codes"] for row in tables[1]["answers"]}
    for each in (await client.get(f"{before}/confirmations")).json()["items"]:
        assert coded[each["text"]] == [names[number] for number in each["numbers"] or [995]]
    assert coded[other["text"]] == ["Other"], "what the request itself says of an answer counts too"

    wave = (await client.get(f"{at}/wave")).json()
    assert (wave["frame_of"], wave["n_then"], wave["new_themes"]) == (generation_id, 60, [])
    assert {each["p"] for each in wave["drift"]} == {1.0}, "the same answers have not moved"
    assert (await client.get(f"{before}/wave")).status_code == 409
    mixed = {"category_id": category_id, "n_clusters": 4, "config": {"frame_of": generation_id}}
    refused = await client.post("/codeframe/generate", json=mixed)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "body.n_clusters")
    unknown = {"category_id": category_id, "config": {"frame_of": str(uuid4())}}
    assert (await client.post("/codeframe/generate", json=unknown)).status_code == 404


async def check_examples(client: httpx.AsyncClient, category_id: int, generation_id: str, followed: Any) -> None:
    table = (await client.get(f"/codeframe/{generation_id}/export", params={"format": "json"})).json()
    texts = list(dict.fromkeys(row["text"] for row in table["answers"]))
    given = {texts[0]: ["Praise"], texts[1]: ["complaints"], texts[2]: ["Complaints ", "Praise"], texts[3]: []}
    examples = [{"text": text, "codes": codes} for text, codes in given.items()]
    config = {"examples": examples, "existing_codes": ["Parking"]}
    reply = await client.post("/codeframe/generate", json={"category_id": category_id, "config": config})
    id_ = reply.json()["generation_id"]
    last = (await followed(id_))[-1].data
    assert (last["status"], last["n_clusters"]) == ("completed", 0), last["error"]

    made = (await client.get(f"/codeframe/{id_}/export", params={"format": "json"})).json()
    codes = {row["number"]: row["code"] for row in made["codeframe"]}
    assert [codes[n] for n in (1, 2, 3, 995)] == ["Complaints", "Parking", "Praise", "Other"]
    coded = {row["text"]: row["codes"] for row in made["answers"]}
    assert [coded[text] for text in given] == [["Praise"], ["Complaints"], ["Complaints", "Praise"], ["Other"]]
    assert "coded with the 3 codes of 4 confirmed answers" in made["summary"]["notes"]
    assert (await client.get(f"/codeframe/{id_}/wave")).status_code == 409

    unknown = {"frame_of": generation_id, "examples": [{"text": texts[0], "codes": ["Nonsense"]}]}
    for body, path in (
        ({"config": unknown}, "body.config.examples"),
        ({"config": config, "n_clusters": 4}, "body.n_clusters"),
        ({"config": {"examples": examples[:1]}}, "body.config.examples"),
        ({"config": {"examples": [*examples, {"text": texts[4], "codes": [3]}]}}, "body.config.examples"),
    ):
        refused = await client.post("/codeframe/generate", json={"category_id": category_id, **body})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path), refused.text


async def check_files(client: httpx.AsyncClient, at: str) -> None:
    table = await client.get(f"{at}/export")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"].startswith("attachment;")
    assert (table.headers["cache-control"], table.headers["x-content-type-options"]) == ("no-store", "nosniff")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert len(rows) == 60
    assert all(row["text"] and row["code"] in row["codes"].split("|") for row in rows)
    frame = (await client.get(f"{at}/export", params={"format": "json"})).json()
    assert {row["code"] for row in rows} <= {row["code"] for row in frame["codeframe"]}
    titles = {row["code"]: f"code_{row['number']}: {row['code']}" for row in frame["codeframe"] if row["code"]}
    assert all(
        [row[title] == "1" for title in titles.values()] == [c in row["codes"].split("|") for c in titles]
        for row in rows
    )
    assert (await client.get(f"{at}/export", params={"format": "xlsx"})).content[:2] == b"PK"
    assert (await client.get(f"{at}/export", params={"format": "sav"})).content[:4] == b"$FL2"
    page = await client.get(f"{at}/report")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == "sandbox allow-scripts"
    assert page.headers["content-disposition"].startswith("inline;")
    assert all(row["code"] in page.text for row in frame["codeframe"] if "&" not in row["code"])


async def check_confirming(client: httpx.AsyncClient, at: str) -> None:
    first = (await client.get(f"{at}/suggestions", params={"n": 12})).json()
    assert first["n_confirmed"] == 0
    items = first["items"]
    assert len({each["answer_id"] for each in items}) == 12
    assert all(0 < each["probability"] <= 1 and each["n_rows"] >= 1 for each in items)
    assert first == (await client.get(f"{at}/suggestions", params={"n": 12})).json()

    one = await client.put(f"{at}/answers/{items[0]['answer_id']}/codes", json={"codes": [items[1]["code"].upper()]})
    assert (one.status_code, one.json()) == (200, {"n_kept": 1, "total": 1})
    (once,) = (await client.get(f"{at}/confirmations")).json()["items"]
    many = [{"answer_id": each["answer_id"], "codes": [each["number"]]} for each in items[:10]]
    many[9]["codes"] = ["Other"]
    assert (await client.put(f"{at}/confirmations", json={"items": many})).json() == {"n_kept": 10, "total": 10}

    page = (await client.get(f"{at}/confirmations", params={"limit": 9})).json()
    assert (len(page["items"]), page["total"]) == (9, 10)
    rest = (await client.get(f"{at}/confirmations", params={"cursor": page["next_cursor"]})).json()
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)
    kept = {each["answer_id"]: each["numbers"] for each in (*page["items"], *rest["items"])}
    assert kept == {each["answer_id"]: each["codes"] if each["codes"] != ["Other"] else [] for each in many}

    again = next(each for each in (*page["items"], *rest["items"]) if each["answer_id"] == once["answer_id"])
    assert again["confirmed_at"] > once["confirmed_at"], "it was said anew"

    following = (await client.get(f"{at}/suggestions", params={"n": 12})).json()
    assert following["n_confirmed"] == 10
    assert not {each["answer_id"] for each in following["items"]} & kept.keys()

    figures = (await client.get(f"{at}/agreement")).json()
    assert figures["n"] == 10
    assert 0 <= figures["accuracy"] < 1  # one of them is said to be Other
    assert sum(code["n"] for code in figures["codes"]) == 10

    gone = items[0]["answer_id"]
    assert [(await client.delete(f"{at}/answers/{gone}/codes")).status_code for _ in range(2)] == [204, 404]
    assert (await client.get(f"{at}/confirmations")).json()["total"] == 9


async def check_assignments(client: httpx.AsyncClient, at: str) -> None:
    async def asked(**wanted: Any) -> Any:
        return (await client.get(f"{at}/assignments", params=wanted)).json()

    first = await asked(limit=25)
    rest = await asked(limit=1000, cursor=first["next_cursor"])
    assert (len(first["items"]), first["total"], rest["total"], rest["next_cursor"]) == (25, 60, 60, None)
    items = [*first["items"], *rest["items"]]
    table = (await client.get(f"{at}/export", params={"format": "json"})).json()["answers"]
    assert [(each["text"], [code["name"] for code in each["codes"]]) for each in items] == [
        (row["text"], row["codes"]) for row in table
    ]
    assert all(0 <= code["score"] <= 1 for each in items for code in each["codes"])

    number = items[0]["codes"][0]["number"]
    having = [each for each in items if number in [code["number"] for code in each["codes"]]]
    assert await asked(code=number) == {"items": having, "total": len(having), "next_cursor": None}
    assert 0 < len(having) < 60
    assert (await asked(code=number, limit=1))["total"] == len(having)
    by_state = [(await asked(state=state))["items"] for state in ("coded", "other", "set_aside")]
    assert sorted(each["answer_id"] for part in by_state for each in part) == [each["answer_id"] for each in items]
    assert all(each["state"] == "coded" and each["codes"][0]["number"] < 900 for each in by_state[0])
    assert all(each["codes"][0]["number"] == 995 for each in by_state[1])
    theme = items[0]["codes"][-1]["number"]
    with_theme = [each for each in items if theme in [code["number"] for code in each["codes"]]]
    assert (await asked(code=theme, state="coded"))["items"] == [e for e in with_theme if e["state"] == "coded"]
    assert (await asked(code=theme, state="other"))["items"] == [e for e in with_theme if e["state"] == "other"]

    known = (await client.get(f"{at}/confirmations")).json()["items"]
    said = await asked(confirmed=True)
    assert {each["answer_id"]: each["confirmed"] for each in said["items"]} == {
        each["answer_id"]: each["numbers"] for each in known
    }
    sure = await asked(confirmed=True, code=number, state="coded")
    assert [each["answer_id"] for each in sure["items"]] == [
        each["answer_id"] for each in said["items"] if each in having
    ]
    silent = await asked(confirmed=False, limit=1)
    assert (silent["total"], silent["items"][0]["confirmed"]) == (60 - len(known), None)

    answer_id, generation_id = silent["items"][0]["answer_id"], at.rpartition("/")[2]
    body = {"generation_id": generation_id, "codes": [items[0]["codes"][0]["name"].upper()]}
    by_hand = await client.patch(f"/answers/{answer_id}", json=body)
    assert by_hand.json() == {"answer_id": answer_id, "generation_id": generation_id, "confirmed": [number]}
    assert (await asked(confirmed=True))["total"] == len(known) + 1
    assert (await client.delete(f"{at}/answers/{answer_id}/codes")).status_code == 204
    unknown = await client.get(f"{at}/assignments", params={"code": 4711})
    assert (unknown.status_code, unknown.json()["errors"][0]["path"]) == (422, "query.code")


async def check_refusals(client: httpx.AsyncClient, at: str) -> None:
    answer = (await client.get(f"{at}/confirmations")).json()["items"][0]["answer_id"]
    wrong: list[tuple[str, dict[str, Any], int, str]] = [
        (f"{at}/answers/{answer}/codes", {"codes": [4711]}, 422, "the codeframe has no code 4711"),
        (f"{at}/answers/{answer}/codes", {"codes": ["Nonsense"]}, 422, "no code 'Nonsense'"),
        (f"{at}/answers/{answer}/codes", {"codes": [True]}, 422, "codes"),
        (f"{at}/answers/999999999/codes", {"codes": []}, 404, "999999999"),
        (f"{at}/confirmations", {"items": [{"answer_id": answer, "codes": []}] * 2}, 422, "twice"),
        (f"/codeframe/{uuid4()}/answers/{answer}/codes", {"codes": []}, 404, "no generation"),
    ]
    for path, body, status, words in wrong:
        reply = await client.put(path, json=body)
        assert (reply.status_code, words in json.dumps(reply.json())) == (status, True), reply.text
    assert (await client.delete(f"/codeframe/{uuid4()}/answers/{answer}/codes")).status_code == 404
    assert (await client.get(f"{at}/confirmations", params={"cursor": answer - 1})).json()["items"][0][
        "answer_id"
    ] == answer
    assert (await client.get(f"{at}/suggestions", params={"n": 0})).status_code == 422
    assert (await client.get(f"{at}/export", params={"format": "ods"})).status_code == 422


async def test_a_coding_by_words_has_no_suggestions_and_nothing_confirmed_is_no_agreement(
    client: httpx.AsyncClient, sixty: int, followed: Any, worker: None
) -> None:
    asked = {"category_id": sixty, "coding_type": "sentiment"}
    generation_id = (await client.post("/codeframe/generate", json=asked)).json()["generation_id"]
    await followed(generation_id)

    refused = [await client.get(f"/codeframe/{generation_id}/{name}") for name in ("suggestions", "agreement")]

    assert [reply.status_code for reply in refused] == [409, 409]
    assert "sentiment coding compares no answers" in refused[0].json()["detail"]
    assert "no answer of generation" in refused[1].json()["detail"]
