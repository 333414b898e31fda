"""What Floe is measured beside; each runs as a process of its own and prints what it did as JSON."""
