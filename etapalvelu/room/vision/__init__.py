"""What the room program sees on the table; `room/page.py` is the door to it."""
