"""The stub's own paths, /stub/…: its bill and state to look at, its faults and gate to set."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import orjson

from holdfast.stub.faults import MATCHES
from holdfast.stub.gate import Limiter
from holdfast.stub.serving import Desk
from holdfast.stub.wire import Answer, Call

LONGEST_WAIT = 600.0  # seconds


async def control(desk: Desk, call: Call) -> Answer:
    """Answer a request to one of the stub's own paths."""
    if (call.method, call.path) == ("GET", "/stub/wait"):
        return await _wait(desk, call)
    act = _ACTS.get((call.method, call.path))
    if act is None:
        return _said({"error": f"there is no {call.method} {call.path}"}, status=404)
    try:
        return _said(act(desk, orjson.loads(call.body) if call.body else {}))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        return _said({"error": str(error)}, status=400)


def _said(value: Mapping[str, Any], *, status: int = 200) -> Answer:
    return Answer(status=status, body=orjson.dumps(value))


async def _wait(desk: Desk, call: Call) -> Answer:
    """Answer when as many calls as asked for are held, billed or came in, and the batch has ended; 408: not in time."""
    wanted = {name: int(call.query.get(name, 0)) for name in ("held", "billed", "requests")}
    within = min(float(call.query.get("within", 30)), LONGEST_WAIT)
    batches = {call.query["batch"]} if "batch" in call.query else set()

    def is_so() -> bool:
        counts = _counts(desk)
        return batches <= desk.ended and all(counts[name] >= n for name, n in wanted.items())

    came = await desk.changes.until(is_so, within=within)
    return _said({**_counts(desk), "ended": sorted(desk.ended)}, status=200 if came else 408)


def _counts(desk: Desk) -> dict[str, int]:
    return {"held": desk.gate.held, "billed": len(desk.book.calls), "requests": desk.requests}


def _bill(desk: Desk, _: Any) -> dict[str, Any]:
    calls = [orjson.loads(billed.line()) for billed in desk.book.calls]
    return {"calls": calls, "n": len(calls), "usd": f"{desk.book.usd:f}"}


def _state(desk: Desk, _: Any) -> dict[str, Any]:
    options = desk.options
    return {
        **_counts(desk),
        "usd": f"{desk.book.usd:f}",
        "by_api": dict(desk.by_api),
        "in_flight": desk.in_flight,
        "most_in_flight": desk.most_in_flight,
        "refused": desk.refused,
        "latency_ms": options.latency * 1000,
        "rpm": desk.limiter.requests_per_minute,
        "faults": [asdict(rule) for rule in desk.plan.rules],
    }


def _plan(desk: Desk, rules: Any) -> dict[str, Any]:
    desk.plan.add(rules)
    return {"faults": len(desk.plan.rules)}


def _no_faults(desk: Desk, _: Any) -> dict[str, Any]:
    desk.plan.clear()
    return {"faults": 0}


def _hold(desk: Desk, asked: Any) -> dict[str, Any]:
    match = asked.get("match", {})
    if unknown := set(match) - (MATCHES - {"nth"}):
        raise ValueError(f"a hold matches no {', '.join(sorted(unknown))}")
    desk.gate.hold(match, before_billing=bool(asked.get("before_billing")))
    return {"held": desk.gate.held}


def _release(desk: Desk, asked: Any) -> dict[str, Any]:
    return {"released": desk.gate.release(asked.get("n"))}


def _settings(desk: Desk, asked: Any) -> dict[str, Any]:
    if "latency_ms" in asked:
        desk.options.latency = float(asked["latency_ms"]) / 1000
    if "rpm" in asked:
        desk.limiter = Limiter(asked["rpm"], burst=asked.get("burst"))
    return _state(desk, None)


_ACTS: dict[tuple[str, str], Callable[[Desk, Any], dict[str, Any]]] = {
    ("GET", "/stub/bill"): _bill,
    ("GET", "/stub/state"): _state,
    ("POST", "/stub/faults"): _plan,
    ("DELETE", "/stub/faults"): _no_faults,
    ("POST", "/stub/hold"): _hold,
    ("POST", "/stub/release"): _release,
    ("POST", "/stub/settings"): _settings,
}
