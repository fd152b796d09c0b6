"""What is left of a rate limit, as it is told and as it is granted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inventory.ringcentral import Budget

steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0, 90)),
        st.tuples(st.just("spend"), st.just(0.0)),
        st.tuples(st.just("close"), st.floats(0, 90)),
        st.tuples(st.just("remaining"), st.integers(0, 5).map(float)),
    )
)


@given(steps)
def test_as_many_requests_as_are_left_go_out_at_once_and_no_more(
    history: list[tuple[str, float]],
) -> None:
    now = 0.0
    budget = Budget(5, clock=lambda: now)
    for what, amount in history:
        if what == "wait":
            now += amount
        elif what == "spend":
            budget.spend()
        elif what == "close":
            budget.close(amount)
        else:
            budget.learn({"x-rate-limit-remaining": f"{amount:g}"})
    left = budget.left()
    assert [budget.spend() == 0 for _ in range(left + 1)] == [True] * left + [False]
    assert budget.left() == 0
