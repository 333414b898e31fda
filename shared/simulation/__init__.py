"""Made-up traffic: plausible, labelled where something goes wrong, and the same for the same seed."""
