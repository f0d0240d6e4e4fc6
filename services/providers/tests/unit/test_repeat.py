"""When a call is made again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from photochanger_providers.domain.repeat import Repeat

PLENTY = timedelta(minutes=1)


def test_never_means_never() -> None:
    assert Repeat.never().pause(repeats_made=0, remaining=PLENTY, chance=0) is None


def test_once_means_once() -> None:
    assert Repeat.once().pause(repeats_made=0, remaining=PLENTY, chance=0) is not None
    assert Repeat.once().pause(repeats_made=1, remaining=PLENTY, chance=0) is None


def test_pauses_double_and_jitter_only_lengthens_them() -> None:
    repeat = Repeat.backoff(3, first=timedelta(seconds=1))

    pauses = [repeat.pause(repeats_made=number, remaining=PLENTY, chance=0) for number in range(4)]
    longest = repeat.pause(repeats_made=0, remaining=PLENTY, chance=0.999)

    assert pauses == [timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=4), None]
    assert longest is not None
    assert timedelta(seconds=1) < longest <= timedelta(seconds=1.5)


def test_a_pause_the_provider_asked_for_is_never_shortened_to_fit() -> None:
    repeat = Repeat.after(timedelta(seconds=26))

    assert repeat.pause(repeats_made=0, remaining=timedelta(seconds=27), chance=0) is None
    assert repeat.pause(repeats_made=0, remaining=timedelta(seconds=28), chance=0) == timedelta(seconds=26)


@given(
    st.lists(st.timedeltas(timedelta(), timedelta(seconds=30)), max_size=5),
    st.floats(0, 1),
    st.timedeltas(timedelta(), timedelta(seconds=60)),
    st.integers(0, 6),
    st.floats(0, 1, exclude_max=True),
)
def test_a_repeat_always_leaves_time_to_use_it(
    pauses: list[timedelta], jitter: float, remaining: timedelta, made: int, chance: float
) -> None:
    repeat = Repeat(tuple(pauses), jitter)

    pause = repeat.pause(repeats_made=made, remaining=remaining, chance=chance)

    if pause is not None:
        assert made < len(pauses)
        assert pauses[made] <= pause <= remaining - repeat.least_left
