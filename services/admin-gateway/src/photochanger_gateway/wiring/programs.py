"""The routes of programs, who have API keys."""

from fastapi import APIRouter

from photochanger_gateway.adapters.clients.api_keys import GrpcApiKeys
from photochanger_gateway.adapters.clients.async_jobs import GrpcAsyncJobs
from photochanger_gateway.adapters.clients.media_library import GrpcMediaLibrary
from photochanger_gateway.adapters.clients.webhooks import GrpcWebhooks
from photochanger_gateway.adapters.http.event_stream import Listeners
from photochanger_gateway.adapters.http.v1.jobs import ClientJobRoutes, Watching
from photochanger_gateway.adapters.http.v1.keyed import Keyed
from photochanger_gateway.adapters.http.v1.submissions import SubmissionLimits, SubmissionRoutes
from photochanger_gateway.adapters.http.v1.webhooks import ClientWebhookRoutes
from photochanger_gateway.adapters.nats.live_events import JetStreamEvents
from photochanger_gateway.application.keep_picture import KeepPicture
from photochanger_gateway.application.public_results import PublicResults
from photochanger_gateway.application.rate_limits import Rule
from photochanger_gateway.application.submit_job import SubmitJob
from photochanger_gateway.wiring.shared import Shared

_LISTENERS_OF_ONE = 25


def program_routes(shared: Shared) -> list[APIRouter]:
    """All of `/api/v1`."""
    settings = shared.settings
    keyed = Keyed(
        keys=GrpcApiKeys(shared.ingest_channel),
        limiter=shared.limiter,
        requests=Rule("requests", settings.api_rate_per_minute),
        wrong_keys=Rule("wrong-keys", settings.wrong_password_rate_per_minute),
        addresses=shared.clients,
    )
    jobs = GrpcAsyncJobs(shared.ingest_channel, shared.clock)
    library = GrpcMediaLibrary(shared.media_channel, shared.clock)
    submissions = SubmissionRoutes(
        keyed=keyed,
        submit=SubmitJob(jobs, shared.media, shared.clock, shared.ids),
        keep_picture=KeepPicture(shared.media, library),
        limits=SubmissionLimits(
            limiter=shared.limiter,
            waiting=Rule("sync", settings.api_waiting_submissions_per_minute),
            handed_in=Rule("async", settings.api_submissions_per_minute),
        ),
        base_url=shared.base_url,
        clock=shared.clock,
        idle_timeout=shared.timing.idle_timeout,
    )
    own_jobs = ClientJobRoutes(
        keyed=keyed,
        jobs=jobs,
        results=PublicResults(shared.ingest, shared.media, shared.clock),
        watching=Watching(
            events=JetStreamEvents(shared.nats),
            readiness=shared.readiness,
            listeners=Listeners(each=_LISTENERS_OF_ONE),
            heartbeat=shared.timing.heartbeat,
        ),
        base_url=shared.base_url,
        clock=shared.clock,
    )
    webhooks = ClientWebhookRoutes(keyed=keyed, webhooks=GrpcWebhooks(shared.ingest_channel))
    return [submissions.router(), own_jobs.router(), webhooks.router()]
