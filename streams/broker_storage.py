"""Making the embedded broker's data folder, and saying why Kafka did not do what it should."""

import shutil
import subprocess
from typing import Final

from streams.broker_folder import BrokerFolder
from streams.broker_installation import BrokerError, KafkaInstallation

_FORMAT_S: Final = 60
_CAUSES: Final = (
    ("Address already in use", "a port it wanted was taken by another program just then; start it again"),
    ("No space left on device", "there is no space left on the disk"),
    ("Could not reserve enough space", "there is not enough memory for it (it wants 1 GiB of heap)"),
    ("Cannot allocate memory", "there is not enough memory for it (it wants 1 GiB of heap)"),
    ("OutOfMemoryError", "it ran out of memory"),
    ("Permission denied", "it may not write to its folder"),
)


def format_storage(kafka: KafkaInstallation, folder: BrokerFolder, cluster: str, options: tuple[str, ...]) -> None:
    """Make Kafka's data folder as `server.properties` wants it, whole or not at all; done already is well."""
    if folder.data.exists():
        return
    unfinished = folder.data.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    properties = folder.path / "format.properties"
    for_broker = folder.properties.read_text("utf-8")
    properties.write_text(for_broker.replace(f"log.dirs={folder.data}\n", f"log.dirs={unfinished}\n"), "utf-8")
    command = kafka.command("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties), options=options)
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
    lines = [line for line in said.splitlines() if line.strip()]
    return f": {lines[-1].strip()}." if lines else " without a word."
