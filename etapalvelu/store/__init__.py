"""The database: SQLAlchemy Core, one code for SQLite and PostgreSQL."""
