"""The wire: what browsers, the room agent and the server say to each other. Knows nothing of the service."""
