"""Rules of the service: no I/O, no clock, no log."""
