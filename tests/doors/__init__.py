"""The doors against a real Kafka, with workers in processes of their own."""
