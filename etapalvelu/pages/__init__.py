"""HTML pages and their live fragments."""
