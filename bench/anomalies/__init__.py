"""The anomaly detector on labelled series, scored by the rules of the Numenta Anomaly Benchmark."""
