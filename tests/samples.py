"""Values that many tests share."""

from datetime import date

OPENS_ON = date(2026, 8, 3)
