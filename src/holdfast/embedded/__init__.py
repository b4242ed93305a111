"""Our own Redis and PostgreSQL: real servers in a data folder, for those who were given none."""

from holdfast.embedded.plain import PlainRedis
from holdfast.embedded.postgres import PostgresServer
from holdfast.embedded.redis import RedisServer
from holdfast.embedded.servers import Servers, open_servers

__all__ = ["PlainRedis", "PostgresServer", "RedisServer", "Servers", "open_servers"]
