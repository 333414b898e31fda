"""What is seen of Floe: metrics, their durable totals, and traces."""
