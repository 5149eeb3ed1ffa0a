"""Values that many tests share."""

from datetime import date

OPENS_ON = date(2026, 8, 3)

# What an advisor asks for when a session is opened by the API.
OPEN = {"room": "rantala-1", "theme": "pensions", "language": "fi", "reason": "advice"}
