"""Where Kafka is, as a person types it: what cannot be an address is told apart from an address where nobody is."""

import re
import socket

import pytest

from streams.broker_reaching import BrokerUnreachable, addresses, reach
from streams.settings import UsageError


def test_addresses_are_read_one_by_one() -> None:
    assert addresses("here:9092, [::1]:1,10.0.0.1:65535") == (("here", 9092), ("::1", 1), ("10.0.0.1", 65535))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        *((text, "expected the address of a Kafka as HOST:PORT") for text in ("", "foo", "127.0.0.1", ":9092")),
        *((text, "expected the address of a Kafka as HOST:PORT") for text in ("here:", "here:x", "here:²", "here:1,")),
        *((f"here:{port}", "expected a port from 1 to 65535") for port in ("0", "65536", "99999", "1" * 5_000)),
        *((f"{host}:1", "expected a host's name") for host in ("x" * 64, "a..b", "\udcff")),
        ("me:secret@here:1", "without anything before an @"),
    ],
)
def test_what_cannot_be_an_address_is_a_mistake_of_whoever_typed_it(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as refusal:
        addresses(text)
    assert "secret" not in str(refusal.value)


async def test_a_name_that_nobody_knows_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    says = r"^No Kafka at nohost:1: no address for the name nohost: name or service not known\. Start the embedded"
    with pytest.raises(BrokerUnreachable, match=says):
        await reach("nohost:1")
