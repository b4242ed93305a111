"""Jobs whose data and results have types."""

import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import pydantic
import pytest

from holdfast.queue import BadJob, Job, JobType, Queue, QueueError

Counted = Callable[..., Awaitable[None]]
Working = Callable[..., Any]
SOURCES = Path(__file__).resolve().parents[3] / "src"


@dataclass
class Mail:
    to: str
    copies: int = 0


class Receipt(TypedDict):
    sent: int


class Model(pydantic.BaseModel):
    to: str
    n: int = 1


class Upper:
    """A codec of one's own: texts, in capitals on the wire."""

    def encode(self, value: str) -> str:
        return value.upper()

    def decode(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise TypeError("a text, please")
        return raw.lower()


async def test_a_processor_gets_the_type_and_a_reader_the_result(
    queue: Queue, working: Working, counted: Counted
) -> None:
    send = JobType("send", Mail, Receipt)
    seen: list[Mail] = []

    @send.processor
    async def deliver(mail: Mail, job: Job) -> Receipt:
        seen.append(mail)
        return {"sent": mail.copies + len(job.id)}

    job = await send.add(queue, Mail("a@example.org", copies=2), attempts=3)
    await queue.add_many([send.new(Mail("b"), job_id="m-1")])
    async with working({send.name: deliver}):
        await counted(completed=2)

    read = await queue.get(job.id)
    assert read is not None
    assert seen == [Mail("a@example.org", 2), Mail("b")]
    assert (send.data_of(read), send.result_of(read)) == (Mail("a@example.org", 2), {"sent": 3})
    assert read.opts["attempts"] == 3


@pytest.mark.parametrize(
    ("kind", "value", "wire"),
    [
        (Model, Model(to="a"), {"to": "a", "n": 1}),
        (Upper(), "quiet", "QUIET"),
        (list[int], [1, 2], [1, 2]),
        (float, 5, 5),
    ],
    ids=["pydantic", "own codec", "plain", "a whole number where a number is asked for"],
)
async def test_models_own_codecs_and_plain_types_work_in_threads_too(
    queue: Queue, working: Working, counted: Counted, kind: Any, value: Any, wire: Any
) -> None:
    echo: JobType[Any, Any] = JobType("echo", kind, kind)

    job = await echo.add(queue, value)
    async with working({"echo": echo.processor(lambda data, _job: data)}):
        await counted(completed=1)

    read = await queue.get(job.id)
    assert read is not None
    assert (read.data, read.returnvalue) == (wire, wire)
    assert echo.result_of(read) == value


async def test_data_of_another_type_fail_the_job_at_once_and_say_where(
    queue: Queue, working: Working, counted: Counted
) -> None:
    send = JobType("send", Mail)

    @send.processor
    async def deliver(_mail: Mail, _job: Job) -> None:
        raise AssertionError("it must not get so far")

    job = await queue.add("send", {"to": 5}, attempts=9)
    async with working({"send": deliver}):
        await counted(failed=1)

    read = await queue.get(job.id)
    assert read is not None
    assert read.attempts_made == 1
    assert read.failed_reason == f"the data of job {job.id} (send) cannot be used: data.to must be a text, not 5"
    with pytest.raises(QueueError, match="has not completed"):
        send.result_of(read)


async def test_a_result_of_another_type_fails_the_job_at_once(queue: Queue, working: Working, counted: Counted) -> None:
    send: JobType[Any, Any] = JobType("send", int, Model)

    await send.add(queue, 5, attempts=9)
    async with working({"send": send.processor(lambda _data, _job: {"to": "a"})}):
        await counted(failed=1)

    (job,) = await queue.jobs("failed")
    assert job.attempts_made == 1
    assert "cannot be kept: a Model is needed" in (job.failed_reason or "")


@pytest.mark.parametrize(("kind", "value"), [(Mail, {"to": "a"}), (Model, {"to": "a"}), (int, "5"), (Upper(), 5)])
async def test_data_of_another_type_are_not_added(queue: Queue, kind: Any, value: Any) -> None:
    send: JobType[Any, None] = JobType("send", kind)

    with pytest.raises(BadJob, match="cannot be sent"):
        await send.add(queue, value)
    with pytest.raises(BadJob, match="cannot be sent"):
        send.new(value)

    assert (await queue.counts())["wait"] == 0


def test_a_result_that_somebody_else_wrote_is_refused_with_its_place() -> None:
    send = JobType("send", Mail, Receipt)

    with pytest.raises(QueueError, match=r"data\.sent must be a whole number"):
        send.result_from({"sent": "5"})


async def test_a_repeatable_has_the_type_too(queue: Queue) -> None:
    send = JobType("send", Mail)

    await send.repeat(queue, Mail("a"), every=60)

    (job,) = await queue.jobs("delayed")
    assert send.data_of(job) == Mail("a")


def test_a_type_that_json_cannot_carry_is_refused_when_it_is_declared() -> None:
    with pytest.raises(QueueError, match="encode and decode"):
        JobType("send", bytes)


TYPED = """
from dataclasses import dataclass
from typing import TypedDict
from holdfast.queue import Job, JobType, Queue, Worker

@dataclass
class Mail:
    to: str

class Receipt(TypedDict):
    sent: int

send = JobType("send", Mail, Receipt)
ping = JobType("ping", str)

@send.processor
async def deliver(mail: Mail, job: Job) -> Receipt:
    return {"sent": len(mail.to)}

@ping.processor
def pong(text: str, job: Job) -> None:
    print(text.upper())

async def main(queue: Queue) -> int:
    job = await send.add(queue, Mail("a"), attempts=3, delay=1.5)
    await ping.add(queue, "hello")
    Worker(queue, {send.name: deliver, ping.name: pong})
    return send.result_of(job)["sent"] + len(send.data_of(job).to)
"""
# Each of these lines must be refused.
WRONG = [
    'await send.add(queue, "a")',
    'await send.add(queue, Mail("a"), attempt=3)',
    "await ping.add(queue, 5)",
    "send.result_of(job).sent",
    "send.data_of(job).subject",
    "@send.processor\\n    async def wrong(mail: str, job: Job) -> Receipt: raise OSError",
    "@send.processor\\n    async def wrong_too(mail: Mail, job: Job) -> str: raise OSError",
]


def test_mypy_accepts_what_is_right_and_refuses_each_thing_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(TYPED)
    lines = [
        "from holdfast.queue import Job, Queue; from right import Mail, Receipt, ping, send",
        "async def check(queue: Queue, job: Job) -> None:",
    ]
    lines += [f"    {line}".replace("\\n", "\n") for line in WRONG]
    (tmp_path / "wrong.py").write_text("\n".join(lines))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "right.py", "wrong.py"]
    environment = {"MYPYPATH": str(SOURCES), "PATH": ""}

    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=110, check=False
    )

    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    refused = {int(line.split(":")[1]) for line in errors if line.startswith("wrong.py")}
    wrong = "\n".join(lines).split("\n")
    expected = {n for n, line in enumerate(wrong, 1) if n > 2 and not line.strip().startswith("async def")}
    assert [line for line in errors if not line.startswith("wrong.py")] == []
    assert refused == expected, done.stdout
