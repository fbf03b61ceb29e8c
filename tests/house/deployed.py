"""What the files in deploy/ must keep to: pinned images, local ports, and the settings that the code has."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from streams.doors.cli import app
from streams.topics import TOPICS
from tests.house.compose import Node
from tests.house.examples import refused, tree_of

PINNED = re.compile(r"[\w./-]+:\d+\.\d+\.\d+(-[\w.-]+)?(@sha256:[0-9a-f]{64})?")
PUBLISHED = re.compile(r"127\.0\.0\.1:\d+:\d+")
PARLEY = re.compile(r"(?:\S*/)?parley")
COLUMNS = ("cleanup.policy", "message.timestamp.type", "max.message.bytes")


def mapping(node: Node) -> dict[str, Node]:
    """Give a mapping where one must stand."""
    if not isinstance(node, dict):
        raise TypeError(f"expected a mapping, got {node!r}")
    return node


def texts(node: Node) -> list[str]:
    """Give a list of text where one must stand."""
    if not isinstance(node, list):
        raise TypeError(f"expected a list, got {node!r}")
    return [str(one) for one in node]


def loose_images(services: Mapping[str, Node]) -> Iterator[str]:
    """Give the images without a full version."""
    for name, service in services.items():
        image = mapping(service).get("image", "none")
        if not PINNED.fullmatch(str(image)):
            yield f"{name}: pin the image to a full version, not {image}"


def loose_bases(dockerfile: str) -> Iterator[str]:
    """Give the images that a Dockerfile begins with and does not pin."""
    for line in dockerfile.split("\n"):
        if line.startswith("FROM ") and not PINNED.fullmatch(line.split()[1]):
            yield f"pin the image to a full version, not {line.split()[1]}"


def open_ports(services: Mapping[str, Node]) -> Iterator[str]:
    """Give the published ports that more than this machine can reach."""
    for name, service in services.items():
        for port in texts(mapping(service).get("ports", [])):
            if not PUBLISHED.fullmatch(port):
                yield f"{name}: publish it on 127.0.0.1, not as {port}"


def environment(services: Mapping[str, Node], name: str) -> dict[str, str]:
    """Give the environment of a service."""
    found = mapping(mapping(services[name]).get("environment", {}))
    return {key: str(value) for key, value in found.items()}


def wrong_commands(commands: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give the `parley` commands that the command line would refuse."""
    tree = tree_of(app)
    for command in commands:
        if not PARLEY.fullmatch(command[0]):
            yield f"expected a parley command, got {shlex.join(command)}"
            continue
        below = getattr(tree, "commands", {}).get(command[1])
        example = shlex.join(["parley", *command[1:]])
        reason = "no such command" if below is None else refused(below, example, (command[1],))
        if reason:
            yield f"{example}: {reason}"


def unit_lines(unit: str, name: str) -> list[str]:
    """Give the values of one setting of a systemd unit, in order."""
    return [line.partition("=")[2] for line in unit.split("\n") if line.startswith(f"{name}=")]


def table_rows(page: str, heading: str) -> list[list[str]]:
    """Give the cells of the table on a page whose first column is called `heading`; backquotes are left out."""
    found: list[list[str]] = []
    inside = False
    for line in page.split("\n"):
        cells = [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and cells[0] == heading:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not set(line) <= set("|-: "):
            found.append(cells)
    return found


def topic_rows() -> list[list[str]]:
    """Give the table of topics as the code has it."""
    return [[one.name("parley"), one.key, one.holds, *(one.obligations(1)[name] for name in COLUMNS)] for one in TOPICS]


def policy_rows() -> list[list[str]]:
    """Give the table of what topics of both policies are created with, on one broker."""
    deleted, compacted = (
        next(one for one in TOPICS if one.compacted is wanted and not one.log_append_time) for wanted in (False, True)
    )
    names = dict.fromkeys((*deleted.obligations(1), *deleted.settings(1), *compacted.settings(1)))
    return sorted(
        [
            name,
            deleted.settings(1).get(name, ""),
            compacted.settings(1).get(name, ""),
            "yes" if name in deleted.obligations(1) or name in compacted.obligations(1) else "no",
        ]
        for name in names
        if name not in COLUMNS
    )
