"""The circuit breaker as a value."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from photochanger_providers.domain.breaker import Breaker, BreakerPolicy, BreakerState, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = BreakerPolicy(threshold=3, pause=timedelta(seconds=10), longest_pause=timedelta(seconds=30))


def after(*verdicts: Verdict) -> Breaker:
    breaker = Breaker()
    for verdict in verdicts:
        breaker = breaker.after(verdict, NOW, POLICY)
    return breaker


def test_it_opens_after_failures_in_a_row_only() -> None:
    broken = after(Verdict.FAILED, Verdict.FAILED, Verdict.ALIVE, Verdict.FAILED, Verdict.FAILED)
    assert broken.refusal(NOW) is None
    assert broken.after(Verdict.FAILED, NOW, POLICY).refusal(NOW) == POLICY.pause


def test_a_long_outage_opens_it_at_once_and_for_long() -> None:
    assert after(Verdict.LONG_OUTAGE).refusal(NOW) == POLICY.long_pause


def test_what_says_nothing_changes_nothing() -> None:
    assert after(Verdict.FAILED, Verdict.NOTHING) == after(Verdict.FAILED)


def test_while_on_trial_others_stay_out_and_a_failed_trial_lasts_longer() -> None:
    opened = after(*[Verdict.FAILED] * 3)
    later = NOW + POLICY.pause
    trial = opened.entered(later, POLICY)

    assert trial.state is BreakerState.HALF_OPEN
    assert trial.refusal(later) is not None
    assert trial.after(Verdict.FAILED, later, POLICY).refusal(later) == POLICY.pause * 2
    assert trial.after(Verdict.ALIVE, later, POLICY) == Breaker()
    assert trial.after(Verdict.NOTHING, later, POLICY).refusal(later) is None


def test_a_trial_nobody_ended_does_not_keep_others_out_for_ever() -> None:
    trial = after(*[Verdict.FAILED] * 3).entered(NOW + POLICY.pause, POLICY)
    assert trial.refusal(NOW + POLICY.pause + POLICY.trial_time) is None


@given(
    st.lists(
        st.tuples(st.sampled_from([*Verdict, "enter"]), st.timedeltas(timedelta(), timedelta(minutes=10))),
        max_size=40,
    )
)
def test_it_is_never_shut_for_longer_than_its_longest_pause(moves: list[tuple[str, timedelta]]) -> None:
    breaker, now = Breaker(), NOW
    for move, step in moves:
        now += step
        if move == "enter":
            if breaker.refusal(now) is None:
                breaker = breaker.entered(now, POLICY)
        else:
            breaker = breaker.after(Verdict(move), now, POLICY)
        refusal = breaker.refusal(now)
        assert refusal is None or timedelta() < refusal <= max(POLICY.long_pause, POLICY.longest_pause)
        assert (breaker.state is BreakerState.CLOSED) == (breaker.until is None)
