"""The same deeds and questions as JSON."""
