"""Rate limits: who may ask how often, counted over all instances at a bounded cost."""
