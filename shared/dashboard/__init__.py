"""The state of the pipeline for those who look at it: see `PipelineService`."""
