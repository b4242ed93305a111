"""Alembic's entry: runs the migrations on the connection that `upgrade` brought."""

from alembic import context

from holdfast.store.migrations import SCHEMA
from holdfast.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    transactional_ddl=True,
)
context.run_migrations()
