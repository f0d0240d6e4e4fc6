from photochanger_ingest.application.metrics import JobMetrics
from photochanger_ingest.domain.job import JobMode, JobSource
from photochanger_ingest.testing.builders import NOW, a_failure, a_job, a_success
from prometheus_client import CollectorRegistry


def test_cameras_jobs_are_counted_and_test_runs_are_not() -> None:
    registry = CollectorRegistry()
    metrics = JobMetrics(registry)
    for source in (JobSource.UI_TEST, JobSource.INGEST):
        job = a_job(source=source)
        metrics.ended(job.start(NOW).finish(a_success(), NOW))
        metrics.ended(job.fail(a_failure(), NOW))
    for state in ("done", "failed"):
        finished = {"slot": "slot-001", "provider": "local", "state": state}
        assert registry.get_sample_value("ingest_jobs_finished_total", finished) == 1
        took = {"provider": "local", "state": state}
        assert registry.get_sample_value("ingest_job_duration_seconds_count", took) == 1
    failures = {"provider": "local", "reason": "network"}
    assert registry.get_sample_value("ingest_job_failures_total", failures) == 1


def test_clients_jobs_are_counted_by_themselves() -> None:
    registry = CollectorRegistry()
    metrics = JobMetrics(registry)
    job = a_job(source=JobSource.API, mode=JobMode.ASYNC, slot_id=None, slot_version=None).start(NOW)
    metrics.started(job)
    metrics.ended(job.finish(a_success(), NOW))
    ended = {"provider": "local", "state": "done"}
    assert registry.get_sample_value("ingest_async_jobs_finished_total", ended) == 1
    assert registry.get_sample_value("ingest_job_wait_seconds_count", {"provider": "local"}) is None
    assert registry.get_sample_value("ingest_jobs_finished_total", ended | {"slot": ""}) is None
