"""Our own Redis and PostgreSQL: real servers in a data folder, for those who were given none."""

from holdfast.embedded.postgres import PostgresServer
from holdfast.embedded.redis import RedisServer

__all__ = ["PostgresServer", "RedisServer"]
