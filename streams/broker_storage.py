"""Making the embedded broker's data folder, and saying why Kafka did not do what it should."""

import re
import shutil
import subprocess
from typing import Final

from streams.broker_folder import BrokerFolder
from streams.broker_installation import BrokerError, KafkaInstallation
from streams.broker_properties import cluster_id

_FORMAT_S: Final = 60
_CAUSES: Final = (
    ("Address already in use", "a port it wanted was taken by another program just then; start it again"),
    ("No space left on device", "there is no space left on the disk"),
    ("Could not reserve enough space", "there is not enough memory for it (it wants 1 GiB of heap)"),
    ("Cannot allocate memory", "there is not enough memory for it (it wants 1 GiB of heap)"),
    ("OutOfMemoryError", "it ran out of memory"),
    ("Permission denied", "it may not write to its folder"),
)
_FRAME: Final = re.compile(r"\s*(at |\.\.\. \d+ more)")  # of Java's stack traces


def format_storage(kafka: KafkaInstallation, folder: BrokerFolder, options: tuple[str, ...]) -> str:
    """Make Kafka's data folder as `server.properties` wants it, whole or not at all, and return its cluster's id.

    What is there already stays, also if the folder was moved since.
    """
    if not folder.data.exists():
        _format(kafka, folder, options)
    for line in (folder.data / "meta.properties").read_text("utf-8").splitlines():
        name, _, value = line.partition("=")
        if name == "cluster.id":
            return value
    raise BrokerError(
        f"{folder.data} is not Kafka's data: its meta.properties names no cluster. Move it away, or choose another"
        " folder."
    )


def _format(kafka: KafkaInstallation, folder: BrokerFolder, options: tuple[str, ...]) -> None:
    unfinished = folder.data.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    properties = folder.path / "format.properties"
    for_broker = folder.properties.read_text("utf-8")
    properties.write_text(for_broker.replace(f"log.dirs={folder.data}\n", f"log.dirs={unfinished}\n"), "utf-8")
    command = kafka.command(
        "kafka.tools.StorageTool", "format", "-t", cluster_id(folder.path), "-c", str(properties), options=options
    )
    try:
        done = subprocess.run(  # noqa: S603 - the command is Parley's own
            command, check=False, capture_output=True, text=True, timeout=_FORMAT_S
        )
    except subprocess.TimeoutExpired as error:
        raise BrokerError(f"Making Kafka's data folder {folder.data} took more than {_FORMAT_S} s.") from error
    if done.returncode != 0:
        raise BrokerError(f"Kafka's data folder {folder.data} could not be made{cause(done.stdout + done.stderr)}")
    properties.unlink()
    unfinished.replace(folder.data)


def cause(said: str) -> str:
    """Return the end of a sentence: why, as far as what Kafka or Java said tells."""
    for words, meaning in _CAUSES:
        if words in said:
            return f": {meaning}."
    lines = [line.strip() for line in said.splitlines() if line.strip() and not _FRAME.match(line)]
    return f": {lines[-1].rstrip('.')}." if lines else " without a word."
