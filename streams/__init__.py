"""Where input and output begin: broker, worker, doors and readers."""
