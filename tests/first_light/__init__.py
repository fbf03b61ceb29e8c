"""The main job, end to end, on a real Kafka with real processes."""
