"""Pictures of the dashboard for the docs."""
