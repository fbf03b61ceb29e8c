"""Faust with batches and Kafka's fence: one transaction per batch, the cut as the only watermark."""

from streams.engine.config import EngineConfig
from streams.engine.cut import Cut, decode_cut
from streams.engine.faults import ExitCode, Fault
from streams.engine.partition import Progress
from streams.engine.projection import Outputs, Projection, Record
from streams.engine.worker import build_app, run

__all__ = [
    "Cut",
    "EngineConfig",
    "ExitCode",
    "Fault",
    "Outputs",
    "Progress",
    "Projection",
    "Record",
    "build_app",
    "decode_cut",
    "run",
]
