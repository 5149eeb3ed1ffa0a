"""The service: deeds of advisors and experts, their rules, the log, the pages and the room agent."""
