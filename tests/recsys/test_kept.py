"""What is held is what was made, and never more than was allowed."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from whythis.recsys.kept import Kept


def test_a_result_is_made_once_and_the_longest_unasked_goes_first() -> None:
    made: list[str] = []
    kept: Kept[str] = Kept(2)

    def ask(key: str) -> str:
        return kept.get(key, lambda: made.append(key) or key.upper())  # type: ignore[func-returns-value]

    assert [ask(key) for key in "abacab"] == list("ABACAB")
    assert made == ["a", "b", "c", "b"]  # b was asked for longest ago when c came


@given(st.lists(st.integers(0, 9)), st.integers(0, 20))
def test_the_sizes_never_add_up_to_more(asked: list[int], most: int) -> None:
    kept: Kept[list[int]] = Kept(most, size=len)
    for n in asked:
        assert kept.get(n, lambda n=n: [n] * n) == [n] * n  # type: ignore[misc]
        assert kept.held <= most


def test_nothing_is_held_after_it_was_let_go() -> None:
    kept: Kept[int] = Kept(9)
    assert (kept.get("a", lambda: 1), kept.held) == (1, 1)
    kept.clear()
    assert (kept.held, kept.get("a", lambda: 2)) == (0, 2)


def test_threads_get_each_the_result_of_their_key() -> None:
    kept: Kept[int] = Kept(7)
    keys = [n % 20 for n in range(4000)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda key: kept.get(key, lambda: key * key), keys))
    assert found == [key * key for key in keys]
    assert kept.held == 7
