"""What a person says of answers' codes: kept as examples, and set beside the machine's as a sample."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from holdfast.codeframe import OTHER_NUMBER, Evaluation, evaluate
from holdfast.errors import BadInput, Conflict, NotFound, Problem
from holdfast.store import Connection, Database, codeframes, confirmations, generations
from holdfast.store.codeframes import StoredNode
from holdfast.store.confirmations import Confirmation

MOST_CODES = 20  # of one answer


class Confirmations:
    """Confirmed codes of a generation's answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, generation_id: UUID, given: Mapping[int, Sequence[int | str]]) -> dict[int, list[int]]:
        """Keep the codes that a person gave answers, by answer id, all of them or none; no code says Other.

        Codes are numbers or names of the codeframe's; returns their numbers. Raises NotFound, Conflict without a
        codeframe, BadInput.
        """

        async def work(connection: Connection) -> dict[int, list[int]]:
            numbers = Numbers(await frame_of(connection, generation_id))
            read = [(answer_id, numbers.of(codes, path=f"{answer_id}")) for answer_id, codes in sorted(given.items())]
            if read:
                await confirmations.keep(connection, generation_id, read)
            return dict(read)

        return await self._database.run(work)

    async def drop(self, generation_id: UUID, answer_id: int) -> None:
        """Forget what was said of an answer. Raises NotFound."""
        if not await self._database.run(lambda c: confirmations.drop(c, generation_id, answer_id)):
            raise NotFound(kind=f"confirmed code in generation {generation_id} of answer", id=answer_id)

    async def list(
        self, generation_id: UUID, *, after: int = 0, limit: int | None = None
    ) -> tuple[list[Confirmation], int]:
        """A page of them, and how many there are. Raises NotFound."""

        async def work(connection: Connection) -> tuple[list[Confirmation], int]:
            await generations.get(connection, generation_id)
            page = await confirmations.of_generation(connection, generation_id, after=after, limit=limit)
            return page, await confirmations.count(connection, generation_id)

        return await self._database.run(work)

    async def agreement(self, generation_id: UUID) -> Evaluation:
        """How far the generation's codes agree with the confirmed ones. Raises NotFound, Conflict if there are none."""

        async def work(connection: Connection) -> tuple[list[StoredNode], list[Confirmation], dict[int, list[str]]]:
            nodes = await frame_of(connection, generation_id)
            said = await confirmations.of_generation(connection, generation_id)
            ids = [each.answer_id for each in said]
            return nodes, said, await codeframes.keys_of(connection, generation_id=generation_id, answer_ids=ids)

        nodes, said, keys = await self._database.run(work)
        if not said:
            raise Conflict(f"no answer of generation {generation_id} has confirmed codes to compare with")
        by_key = {node.key: node.name for node in nodes}
        by_number = {node.number: node.name for node in nodes if node.node_type == "code"}
        ours = [tuple(by_key[key] for key in keys.get(each.answer_id, [])) for each in said]
        theirs = [tuple(by_number.get(n, str(n)) for n in each.numbers or [OTHER_NUMBER]) for each in said]
        return evaluate(ours, theirs)


class Numbers:
    """A codeframe's code numbers, by number and by name."""

    def __init__(self, nodes: Sequence[StoredNode]) -> None:
        codes = [node for node in nodes if node.node_type == "code" and node.number is not None]
        self._known = {node.number: node for node in codes}
        self._named = {node.name.casefold(): node.number for node in codes if node.number is not None}

    def of(self, codes: Sequence[int | str], *, path: str) -> list[int]:
        """Each once, in the order given; Other alone is no number. Raises BadInput for one that is not there."""
        if len(codes) > MOST_CODES:
            raise _wrong(path, f"has {len(codes)} codes; {MOST_CODES} is the most")
        found = [self._number(code, path) for code in codes]
        return [number for number in dict.fromkeys(found) if number != OTHER_NUMBER]

    def _number(self, code: int | str, path: str) -> int:
        number = code if isinstance(code, int) else self._named.get(code.strip().casefold(), -1)
        if number not in self._known and not (isinstance(code, str) and code.strip().isdecimal()):
            raise _wrong(path, f"the codeframe has no code {code!r}; use its numbers or names, or Other")
        if number in self._known:
            return number
        return self._number(int(code), path)


def _wrong(path: str, message: str) -> BadInput:
    return BadInput(f"answer {path}: {message}", problems=[Problem(path=path, message=message)])


async def frame_of(connection: Connection, generation_id: UUID) -> list[StoredNode]:
    """A generation's nodes. Raises NotFound, Conflict if it has no codeframe."""
    generation = await generations.get(connection, generation_id)
    nodes = await codeframes.nodes(connection, generation_id)
    if not nodes:
        raise Conflict(f"generation {generation_id} has no codeframe: it is {generation.state}")
    return nodes
