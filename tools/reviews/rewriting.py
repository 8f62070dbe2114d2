"""Write a collection anew in a process of its own, which never holds what is left out.

Chroma writes its vector files with memory that nobody has cleared: between the vectors may stand
what the process read before, a deleted review too. A process that is given only what stays has
nothing else to write.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from whythis.recsys.errors import ArtefactError, WhyThisError
from whythis.tools.reviews.chroma import VECTORS, Place, connected, guarded, release, seal

Batch = Mapping[str, Any]
"""Ids, documents, metadatas and embeddings, as `Collection.add` takes them."""


def rewrite(place: Place, mark: Mapping[str, Any], batches: Iterable[Batch]) -> None:
    """Make the collection of a new folder of these batches, and mark it as complete.

    mark: the metadata of the collection; to it come its count and the seal of its vectors.

    Raises `ArtefactError` where the folder cannot be written.
    """
    # A program and not a fork, which would inherit the memory. -P: nothing in the current folder
    # passes for a module.
    command = [sys.executable, "-P", "-m", __name__, str(place.folder), place.collection]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as second:
        assert second.stdin is not None
        assert second.stdout is not None
        try:
            print(json.dumps(dict(mark)), file=second.stdin)
            for batch in batches:
                print(json.dumps(batch), file=second.stdin)
            print("end", file=second.stdin)
            second.stdin.close()
        except BrokenPipeError:
            pass  # what it says is the reason
        except BaseException:
            second.kill()
            raise
        said = second.stdout.read().strip().splitlines()
    if second.returncode:
        reason = said[-1] if said else f"its process ended with {second.returncode}"
        raise ArtefactError(f"{place} was not written ({reason}): free the place and try again")


def main(folder: str, collection: str) -> int:
    """Write what comes in, a line each: the mark, the batches, `end`; without that, no mark."""
    place = Place(Path(folder), collection=collection)
    mark = json.loads(next(sys.stdin))
    try:
        with connected(place) as client, guarded(place):
            made = client.create_collection(
                collection,
                metadata={**mark, "complete": False},
                configuration=VECTORS,
                embedding_function=None,
            )
            for batch in _read():
                made.add(**batch)
                if made.count() == 1:  # one alone stays below the threshold of `VECTORS`
                    made.upsert(**batch)
            # A read awaits what Chroma may still be writing.
            made.get(limit=1, include=["embeddings"])
            end = {"complete": True, "count": made.count(), "vectors": seal(place)}
            made.modify(metadata={**mark, **end})
            release(client)
    except WhyThisError as error:
        print(error)
        return 1
    return 0


def _read() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        if line == "end\n":
            return
        yield json.loads(line)
    raise ArtefactError("the process that sent the sentences ended")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
