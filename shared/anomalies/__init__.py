"""Anomalies in series: points that their own past did not lead to expect."""
