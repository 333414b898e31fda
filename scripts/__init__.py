"""Programs for those who work on Floe."""
