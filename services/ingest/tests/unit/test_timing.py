from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_chassis.errors import InvalidArgument
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.timing import Reserves, Ticket
from photochanger_ingest.testing.builders import NOW


@given(st.booleans(), st.integers(10, 60))
def test_each_part_of_a_jobs_time_ends_before_the_next(publishes_original: bool, seconds: int) -> None:
    reserves = Reserves()
    deadline = NOW + timedelta(seconds=seconds)
    provider = reserves.provider_deadline(deadline, publishes_original=publishes_original)
    last_call = reserves.last_call(deadline, publishes_original=publishes_original)
    assert NOW < provider < last_call <= reserves.final_state(deadline) < deadline
    if publishes_original:
        assert last_call < reserves.final_state(deadline)


@pytest.mark.parametrize(
    ("ticket", "field"),
    [
        (Ticket(JobId("x"), NOW, NOW + timedelta(seconds=48)), "ticket.job_id"),
        (Ticket(JobId("A" * 32), NOW, NOW + timedelta(seconds=48)), "ticket.job_id"),
        (Ticket(JobId("1" * 32), NOW, NOW + timedelta(seconds=9)), "ticket.deadline"),
        (Ticket(JobId("1" * 32), NOW, NOW + timedelta(seconds=61)), "ticket.deadline"),
        (
            Ticket(JobId("1" * 32), NOW + timedelta(seconds=6), NOW + timedelta(seconds=30)),
            "ticket.received_at",
        ),
    ],
)
def test_a_ticket_that_is_not_ours_is_refused(ticket: Ticket, field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        ticket.require_sane(NOW)
    assert [violation.field for violation in refused.value.field_violations] == [field]


def test_a_ticket_of_ours_is_taken() -> None:
    Ticket(JobId("0123456789abcdef" * 2), NOW, NOW + timedelta(seconds=60)).require_sane(NOW)
