"""Brands and sentiments over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

BRANDS = ["coca cola", "Coca-Cola", "cocacola!!", "coca cla", "pepsi", "Pepsi, coke", "pepsi", "pepsi", "pepsi", "asdf"]


@pytest.mark.usefixtures("worker")
async def test_a_brand_coding_runs_to_its_groups(
    client: httpx.AsyncClient, category: Callable[[Any], Awaitable[int]], followed: Any
) -> None:
    category_id = await category([{"text": text, "external_id": str(n)} for n, text in enumerate(BRANDS)])
    asked = {"category_id": category_id, "coding_type": "brand", "existing_codes": ["Coca-Cola (Coke)"]}

    generation_id = (await client.post("/codeframe/generate", json=asked)).json()["generation_id"]
    last = (await followed(generation_id))[-1]

    assert (last.data["status"], last.data["progress"], last.data["n_clusters"]) == ("completed", 100, 0)
    frame = (await client.get(f"/codeframe/{generation_id}/hierarchy")).json()["hierarchy"]
    assert [theme["name"] for theme in frame] == ["Verified", "Spam"]
    assert [(code["name"], code["n_answers"]) for code in frame[0]["children"]] == [("Coca-Cola", 5), ("Pepsi", 5)]
    assert "coca cla" in frame[0]["children"][0]["description"]


@pytest.mark.usefixtures("worker")
async def test_a_sentiment_coding_runs_to_three_codes(client: httpx.AsyncClient, sixty: int, followed: Any) -> None:
    asked = {"category_id": sixty, "coding_type": "sentiment"}

    generation_id = (await client.post("/codeframe/generate", json=asked)).json()["generation_id"]
    last = (await followed(generation_id))[-1]

    assert last.data["status"] == "completed"
    frame = (await client.get(f"/codeframe/{generation_id}/hierarchy")).json()["hierarchy"]
    assert [code["name"] for code in frame][:3] == ["Positive", "Neutral or mixed", "Negative"]
    assert sum(code["n_answers"] for code in frame) == 60
