"""Roll-ups of the events by minute."""
