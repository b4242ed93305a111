"""A generation's answers with their codes, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from holdfast.errors import BadInput, Problem
from holdfast.service.confirming import frame_of
from holdfast.store import Connection, Database, assignments
from holdfast.store.assignments import Assigned, Wanted
from holdfast.store.codeframes import StoredNode

# By the kind of an answer's best code.
STATES = {"content": "coded", "other": "other", "rule": "set_aside"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedPage:
    """Answers by their ids, how many there are in all, and the codes their keys stand for."""

    items: list[Assigned]
    total: int
    nodes: dict[str, StoredNode]

    def state(self, item: Assigned) -> str:
        return _state(self.nodes[item.node_keys[0]])


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
            wanted = Wanted(
                keys=None if code is None else keys_below(nodes, code),
                best=None if state is None else [node.key for node in nodes if _state(node) == state],
                confirmed=confirmed,
            )
            items = await assignments.page(connection, generation_id, wanted, after=after, limit=limit)
            is_all = after == 0 and len(items) < limit
            total = len(items) if is_all else await assignments.count(connection, generation_id, wanted)
            return AssignedPage(items=items, total=total, nodes={node.key: node for node in nodes})

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


def _state(node: StoredNode) -> str:
    return STATES[node.details.get("kind", "content")]
