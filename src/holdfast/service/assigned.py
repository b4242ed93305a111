"""A generation's answers with their codes, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from holdfast.errors import BadInput, Problem
from holdfast.service.confirming import frame_of
from holdfast.store import Connection, Database, assignments
from holdfast.store.assignments import Assigned, Wanted
from holdfast.store.codeframes import StoredNode

# What an answer's best code says of it, and the code's kind.
STATES = {"coded": "content", "other": "other", "set_aside": "rule"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedPage:
    """Answers by their ids, how many there are in all, and the codes their keys stand for."""

    items: list[Assigned]
    total: int
    nodes: dict[str, StoredNode]

    def state(self, item: Assigned) -> str:
        kind = self.nodes[item.node_keys[0]].details.get("kind", "content")
        return next(state for state, stored in STATES.items() if stored == kind)


class AssignedAnswers:
    """Reads what answers were coded to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self,
        generation_id: UUID,
        *,
        code: int | None = None,
        state: str | None = None,
        confirmed: bool | None = None,
        after: int = 0,
        limit: int,
    ) -> AssignedPage:
        """Those with the code, or with one below the theme, of that number, in that state.

        Raises NotFound, Conflict without a codeframe, BadInput for a number that the codeframe has not.
        """

        async def work(connection: Connection) -> AssignedPage:
            nodes = await frame_of(connection, generation_id)
            keys = None if code is None else keys_below(nodes, code)
            wanted = Wanted(keys=keys, kind=None if state is None else STATES[state], confirmed=confirmed)
            return AssignedPage(
                items=await assignments.page(connection, generation_id, wanted, after=after, limit=limit),
                total=await assignments.count(connection, generation_id, wanted),
                nodes={node.key: node for node in nodes},
            )

        return await self._database.run(work)


def keys_below(nodes: Sequence[StoredNode], number: int) -> list[str]:
    """The keys of the node and of all below it; `nodes` have parents before their children."""
    found = {node.key for node in nodes if node.number == number}
    if not found:
        message = f"must be the number of a code or theme of this codeframe; it has no {number}"
        raise BadInput(f"code {message}", problems=[Problem(path="query.code", message=message)])
    for node in nodes:
        if node.parent_key in found:
            found.add(node.key)
    return sorted(found)
