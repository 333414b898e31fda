"""`make demo`: real series through Kafka into a running stack, counted at every station, then compared."""
