"""Roll-ups: what the events of each minute add up to, by type and region."""
