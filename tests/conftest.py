"""What all tests share: one embedded Kafka per session, started when the first test asks for it."""

pytest_plugins = ["tests.kafka_fixture"]
