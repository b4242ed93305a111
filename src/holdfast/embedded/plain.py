"""Plain commands to one Redis: for an audit that must not rely on the queue's own way of reading."""

from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from holdfast.errors import NotConfigured, Unavailable

ANSWER_SECONDS = 5.0
SCAN_COUNT = 500


class PlainRedis:
    """One connection, one command at a time, as redis-cli would; texts come back as str.

    Raises NotConfigured for a URL that is not one server's, Unavailable when that does not answer or refuses.
    """

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
            raise NotConfigured("plain commands go to one server: a redis:// or rediss:// URL is needed")
        self._client: Any = redis.Redis.from_url(
            url, decode_responses=True, socket_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def call(self, *command: str | int) -> Any:
        """Send the command, return its reply."""
        try:
            return self._client.execute_command(*command)
        except (redis.RedisError, OSError) as error:
            raise Unavailable(f"Redis does not answer {command[0]}: {error}") from error

    def keys(self, pattern: str) -> set[str]:
        """The names of all keys that match, by SCAN: Redis goes on serving meanwhile."""
        found: set[str] = set()
        cursor = 0
        while True:
            cursor, page = self.call("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT)
            found |= set(page)
            if not int(cursor):
                return found
