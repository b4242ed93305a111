"""The schema's history; `upgrade` brings a database to its end."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

SCHEMA = "holdfast"


def config(connection: Connection) -> Config:
    """Alembic's configuration for this package's migrations on an open connection."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, inside the caller's transaction."""
    settings = config(connection)
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
    if context.get_current_revision() != ScriptDirectory.from_config(settings).get_current_head():
        command.upgrade(settings, "head")
        # The one table that no migration makes.
        connection.execute(text(f"ALTER TABLE {SCHEMA}.alembic_version ENABLE ROW LEVEL SECURITY"))
