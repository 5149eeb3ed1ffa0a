"""Alembic's entry: runs on the connection that `etapalvelu.store.migrate` hands over."""

from alembic import context

from etapalvelu.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
