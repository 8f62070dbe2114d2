"""Free personas are found by a refit: the same for the same events, whatever is asked beside."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from whythis.recsys.config import Attention, FitConfig
from whythis.recsys.free import FreePersonas, entropy, padded

N, D, K = 11, 4, 3
FORMS: tuple[Attention, ...] = ("cosine", "dot", "none")


def model(attention: Attention = "cosine", seed: int = 0, **choices: object) -> FreePersonas:
    """Return a model with every weight drawn at random, in float64."""
    given = {"source": "free", "personas": K, "dim": D, "attention": attention} | choices
    made = FreePersonas(N, FitConfig.model_validate(given)).double()
    rng = torch.Generator().manual_seed(seed)
    for name, value in made.state_dict().items():
        if name not in ("temperature", "forgetting", "drawn"):
            value.copy_(torch.randn(value.shape, generator=rng, dtype=torch.float64))
    made.temperature.fill_({"cosine": 1.7, "dot": 1.0, "none": 0.0}[attention])
    made.drawn.copy_(torch.randint(N, made.drawn.shape, generator=rng))
    return made.eval()


def masks_of(*rows: str) -> Tensor:
    return torch.tensor([[mark == "x" for mark in row] for row in rows])


HISTORY = torch.tensor([3, 0, 7, 9, 2])
MASKS = masks_of("xxxxx", "x.xx.", ".....", "....x", "xxxx.")


@pytest.mark.parametrize("loss", ["softmax", "sampled"])
@pytest.mark.parametrize("attention", FORMS)
def test_every_mask_is_a_run_of_its_own(attention: Attention, loss: str) -> None:
    found = model(attention, loss=loss, negatives=5)
    together = found(HISTORY, MASKS).scores
    alone = torch.cat([found(HISTORY, mask[None]).scores for mask in MASKS])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-10)
    assert torch.equal(found(HISTORY, MASKS).scores, together)


@pytest.mark.parametrize("loss", ["softmax", "sampled"])
def test_a_removed_event_is_as_if_it_had_never_been(loss: str) -> None:
    found = model(loss=loss, negatives=5)
    masked = found(HISTORY, masks_of("x.xx.")).scores
    shorter = found(HISTORY[[0, 2, 3]], masks_of("xxx")).scores
    torch.testing.assert_close(masked, shorter, rtol=0, atol=1e-10)


@pytest.mark.parametrize("attention", FORMS)
def test_histories_scored_together_are_those_scored_alone(attention: Attention) -> None:
    found = model(attention)
    histories = [HISTORY, HISTORY[:0], HISTORY[2:4]]
    alone = [found(h, torch.ones(1, len(h), dtype=torch.bool)).scores for h in histories]
    torch.testing.assert_close(found.score_each(histories), torch.cat(alone), rtol=0, atol=1e-10)


def test_nothing_known_leaves_the_start() -> None:
    found = model()
    assert torch.equal(found.refit(HISTORY, masks_of("....."))[0], found.start)


@pytest.mark.parametrize("loss", ["softmax", "sampled"])
@pytest.mark.parametrize("attention", FORMS)
def test_a_refit_comes_near_the_least_of_what_training_minimises(
    attention: Attention, loss: str
) -> None:
    found = model(attention, loss=loss, negatives=5, refit_steps=200)
    mask = masks_of("xxxxx")
    drawn = found.drawn if loss == "sampled" else None

    def value(personas: Tensor) -> Tensor:
        return found.losses(personas, HISTORY[None], mask, drawn).sum()

    personas = found.refit(HISTORY, mask).requires_grad_()
    (slope,) = torch.autograd.grad(value(personas), personas)
    assert slope.abs().max() < 1e-2
    assert value(personas) < value(found.start[None])


def test_the_objective_is_that_of_the_formula() -> None:
    found = model("cosine", entropy=0.3, spread=0.2, pull=0.7, forgetting=0.5)
    rng = torch.Generator().manual_seed(5)
    personas = torch.randn(1, K, D, generator=rng, dtype=torch.float64)
    told = found.losses(personas, HISTORY[None], masks_of("xx.xx"), None)
    kept = [3, 0, 9, 2]
    fades = [math.exp(-0.5 * age) for age in (3, 2, 1, 0)]
    scores, spoken = [], []
    for y in range(N):
        matches, fits = [], []
        for k in range(K):
            x, v = personas[0, k], found.candidate_side[y]
            matches.append(float(x @ v))
            query, key = x @ found.user_map, v @ found.item_map
            fits.append(1.7 * float(query @ key / query.norm() / key.norm()))
        top = [math.exp(f) for f in fits]
        shares = [t / sum(top) for t in top]
        scores.append(sum(map(math.prod, zip(shares, matches, strict=True))))
        scores[-1] += float(found.bias[y])
        spoken.append(-sum(a * math.log(a) for a in shares))
    total = math.log(sum(math.exp(s) for s in scores))
    wanted = 0.7 * float((personas - found.start).pow(2).sum()) - 0.2 * sum(spoken) / N
    for y, fade in zip(kept, fades, strict=True):
        wanted += fade / sum(fades) * (total - scores[y] + 0.3 * spoken[y])
    assert float(told) == pytest.approx(wanted)


def test_a_sampled_loss_tells_a_like_from_the_drawn_and_itself() -> None:
    found = model("dot", loss="sampled", entropy=0.0, spread=0.0, pull=0.0)
    personas = found.start[None]
    drawn = torch.tensor([1, 4])
    told = found.losses(personas, torch.tensor([[6]]), masks_of("x"), drawn)
    scores = found.mix(torch.full((1, K), 1 / K), personas, personas @ found.candidate_side.T)[1][0]
    assert float(told) == pytest.approx(float(torch.logsumexp(scores[[1, 4, 6]], 0) - scores[6]))


@pytest.mark.parametrize("k", [2, 3, 8])
@given(seed=st.integers(0, 1000))
@settings(max_examples=25)
def test_without_a_temperature_no_cosine_gives_a_persona_all(k: int, seed: int) -> None:
    found = model("cosine", seed, personas=k)
    found.temperature.fill_(1.0)
    shares = found(HISTORY, MASKS).shares
    bound = math.e / (math.e + (k - 1) / math.e)  # one cosine is 1, the others are -1
    assert shares.max() <= bound + 1e-12
    assert k != 3 or bound == pytest.approx(0.787, abs=5e-4)


def test_the_bound_is_reached_and_a_temperature_lifts_it() -> None:
    found = model("cosine")
    x = torch.ones(D, dtype=torch.float64)
    personas = torch.stack([x, -x, -x])[None]
    found.candidate_side.copy_(x.expand(N, -1))
    found.user_map.copy_(torch.eye(D))
    found.item_map.copy_(torch.eye(D))
    alike, matches = torch.full((1, K), 1 / K), personas @ found.candidate_side.T
    found.temperature.fill_(1.0)
    assert float(found.mix(alike, personas, matches)[0].max()) == pytest.approx(0.787, abs=5e-4)
    found.temperature.fill_(5.0)
    assert float(found.mix(alike, personas, matches)[0].max()) > 0.9999


def test_weights_fade_with_the_events_that_still_count() -> None:
    found = model(forgetting=math.log(2))
    weights = found.weigh(masks_of("x.xx", "...."))
    assert weights[0].tolist() == pytest.approx([1 / 7, 0, 2 / 7, 4 / 7])
    assert weights[1].tolist() == [0, 0, 0, 0]


def test_shares_and_weights_sum_to_one_and_scores_to_their_parts() -> None:
    found = model()
    run = found(HISTORY, MASKS)
    torch.testing.assert_close(run.shares.sum(1), torch.ones_like(run.scores))
    torch.testing.assert_close((run.shares * run.matches).sum(1) + found.bias, run.scores)
    held = run.weights.sum(1)
    torch.testing.assert_close(held[[0, 1, 3, 4]], torch.ones_like(held[[0, 1, 3, 4]]))
    assert not held[2].any()


def test_entropy_and_padding() -> None:
    alike = torch.full((1, 4, 2), 0.25)
    assert entropy(alike)[0].tolist() == pytest.approx([math.log(4)] * 2)
    events, masks = padded([torch.tensor([5, 6]), torch.tensor([], dtype=torch.int64)])
    assert masks.tolist() == [[True, True], [False, False]]
    assert events[0].tolist() == [5, 6]
