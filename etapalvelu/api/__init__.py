"""The deeds and questions as JSON, under /api/v1."""
