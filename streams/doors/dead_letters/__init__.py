"""Dead letters and what people decide about them: looked at, retried with a mended event, or discarded."""
