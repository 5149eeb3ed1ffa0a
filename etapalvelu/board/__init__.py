"""Notices to open pages (and to other nodes)."""
