"""One file of Apache Kafka through the Maven resolver."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jgo.maven import MavenContext, PythonResolver


def fetch(
    coordinate: str, folder: Path, repository: str | None, advance: Callable[[int], None], timeout_s: int
) -> None:
    """Fetch a JAR, named `group:artifact:version`, into a Maven-like `folder`, telling `advance` each length that came.

    OSError when the network or the disk fails, or when the repository does not hold it.
    """

    @contextmanager
    def told(_filename: str, _length: int) -> Iterator[Callable[[int], None]]:
        yield advance

    context = MavenContext(
        resolver=PythonResolver(progress_callback=told),
        repo_cache=folder,
        remote_repos=None if repository is None else {"mirror": repository.rstrip("/")},
        timeout=timeout_s,
    )
    try:
        context.create_dependency(coordinate).artifact.resolve()
    except RuntimeError as error:  # how the resolver says "not found"
        raise OSError(str(error)) from error
