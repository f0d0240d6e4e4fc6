"""What the log holds of requests, and what it must never hold."""

from photochanger.ingest.v1 import job_service_pb2
from photochanger_gateway.testing.builders import a_job
from photochanger_gateway.testing.fake_ingest import PASSWORD
from photochanger_gateway.testing.platform import Gateway, Platform
from photochanger_gateway.testing.wire import FIELDS, PHOTO, ask, connected, post_photo

CANARY = "canary-7d1f"


async def test_a_request_id_is_kept_where_it_is_one_and_made_where_not(
    gateway: Gateway, log_lines: list[str]
) -> None:
    assert (await ask(gateway.port, "/livez", X_Request_Id="camera-0001")).headers[
        "x-request-id"
    ] == "camera-0001"
    made = {
        (await ask(gateway.port, "/no/page", X_Request_Id=offered)).headers["x-request-id"]
        for offered in ("short", "bad id with spaces", "x" * 65)
    }
    assert len(made) == 3
    assert all(any(request_id in line for line in log_lines) for request_id in made)


async def test_no_line_holds_a_password_a_field_a_key_or_an_id_that_opens_a_picture(
    gateway: Gateway, platform: Platform, log_lines: list[str]
) -> None:
    parts = [*FIELDS, ("guest", CANARY.encode()), PHOTO]
    assert (await post_photo(gateway.port, parts, Idempotency_Key=CANARY)).status == 200
    wrong = [PHOTO, ("password", CANARY.encode()), FIELDS[1]]
    assert (await post_photo(gateway.port, wrong)).status == 401
    request = platform.ingest.script.of("OpenJob")[0]
    assert isinstance(request, job_service_pb2.OpenJobRequest)
    job_id, link = request.ticket.job_id, "t" * 43
    platform.media.links[link] = platform.media.store().id
    for path in (
        f"/public/results/{job_id}",
        f"/public/results/{job_id}/preview",
        f"/api/jobs/{job_id}",
        f"/public/provider-media/{link}",
        f"/public/slots/slot-001?name={CANARY}",
        f"/no/such/{CANARY}",
    ):
        await ask(gateway.port, path, Cookie=CANARY, Referer=f"http://gateway/{CANARY}")
    body = f'{{"username": "serg", "password": "{CANARY}"}}'.encode()
    await ask(gateway.port, "/api/login", method="POST", body=body, Content_Type="application/json")
    await ask(gateway.port, "/api/me", Authorization=f"Bearer {CANARY}")
    text = "\n".join(log_lines)
    assert "http.answered" in text
    assert "auth.login.failure" in text
    assert job_id[:8] in text
    for secret in (CANARY, PASSWORD, job_id, link, "shot"):
        assert secret not in text


async def test_a_bug_is_logged_with_its_trace_and_without_the_ids_in_it(
    gateway: Gateway, platform: Platform, log_lines: list[str]
) -> None:
    platform.ingest.galleries["slot-001"] = [a_job(job_id=CANARY, result=platform.media.store())]
    assert (await ask(gateway.port, "/public/slots/slot-001")).status == 500
    (line,) = (line for line in log_lines if "http.failed" in line)
    assert "ValidationError" in line
    assert CANARY not in "\n".join(log_lines)


async def test_a_sign_in_is_logged_with_name_address_and_reason(
    gateway: Gateway, log_lines: list[str]
) -> None:
    body = b'{"username": "igor", "password": "guess"}'
    await ask(
        gateway.port,
        "/api/login",
        method="POST",
        body=body,
        Content_Type="application/json",
        X_Forwarded_For="198.51.100.3",
    )
    (line,) = (line for line in log_lines if "auth.login.failure" in line)
    assert '"igor"' in line
    assert '"198.51.100.3"' in line
    assert '"invalid_credentials"' in line


async def test_a_route_is_named_and_not_its_path(gateway: Gateway, log_lines: list[str]) -> None:
    await ask(gateway.port, "/public/slots/slot-007")
    async with connected(gateway.port) as connection:
        await connection.send(b"GET /public/slots/slot-007\r\n\r\n")
        await connection.rest()
    assert any("/public/slots/{slot_id}" in line for line in log_lines)
    assert not any("slot-007" in line for line in log_lines)
