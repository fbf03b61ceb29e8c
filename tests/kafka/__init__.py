"""Kafka itself: the embedded broker, topics, writing and reading."""
