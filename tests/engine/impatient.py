"""A worker of the tally that aiokafka takes for one that hangs when it asks for no records for two seconds."""

from streams.engine import worker
from tests.engine.tally import main

if __name__ == "__main__":
    worker._NEVER_S = 2.0  # type: ignore[misc]  # noqa: SLF001 -- nobody waits ten years
    main()
