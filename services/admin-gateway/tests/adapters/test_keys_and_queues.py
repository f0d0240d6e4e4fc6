"""API keys, the clients' jobs, queues and dead tasks, as admins see and change them."""

from photochanger.ingest.v1 import api_key_service_pb2
from photochanger.tasks.v1 import task_events_pb2
from photochanger_chassis.errors import ErrorKind
from photochanger_gateway.testing.admin_api import AdminApi
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.platform import Platform
from photochanger_gateway.testing.program import Program

UNKNOWN = "0" * 32


async def test_a_key_is_shown_once(api: AdminApi, platform: Platform) -> None:
    made = await api.post("/api/api-keys", {"name": "Books", "scopes": ["jobs:write", "jobs:read"]})
    assert made.status == 201
    assert made.headers["cache-control"] == "no-store"
    secret, told = made.json()["key"], made.json()["api_key"]
    assert secret in platform.api_keys.keys
    assert (told["name"], told["scopes"], told["last_four"]) == ("Books", ["jobs:read", "jobs:write"], "0000")
    assert (told["created_by"], told["revoked_at"], told["last_used_at"]) == ("serg", None, None)
    listed = await api.get("/api/api-keys")
    assert listed.json() == {"keys": [told], "next_cursor": None}
    assert secret not in listed.body.decode()


async def test_making_a_key_is_in_the_record_without_it(
    api: AdminApi, platform: Platform, log_lines: list[str]
) -> None:
    made = (await api.post("/api/api-keys", {"name": "Books", "scopes": ["jobs:read"]})).json()
    (entry,) = [item for item in platform.audit.entries.values() if item.action == "api-key.create"]
    assert dict(entry.facts) == {
        "name": "Books",
        "scopes": "jobs:read",
        "api_key_id": made["api_key"]["id"],
        "client_id": made["api_key"]["client_id"],
        "last_four": made["api_key"]["last_four"],
    }
    assert not any(made["key"] in line for line in log_lines)


async def test_a_client_gets_another_key(api: AdminApi) -> None:
    first = (await api.post("/api/api-keys", {"name": "Old", "scopes": ["jobs:read"]})).json()["api_key"]
    wanted = {"name": "New", "scopes": ["jobs:read"], "client_id": first["client_id"]}
    second = (await api.post("/api/api-keys", wanted)).json()["api_key"]
    assert (second["client_id"], second["id"] != first["id"]) == (first["client_id"], True)
    nobodys = await api.post("/api/api-keys", wanted | {"client_id": UNKNOWN})
    assert (nobodys.status, nobodys.json()["failure_reason"]) == (422, "api_client_not_found")


async def test_a_key_without_a_name_or_a_scope_is_not_made(api: AdminApi, platform: Platform) -> None:
    for wrong, field in (
        ({"name": " ", "scopes": ["jobs:read"]}, "name"),
        ({"name": "Books", "scopes": []}, "scopes"),
        ({"name": "Books", "scopes": ["root"]}, "scopes.0"),
        ({"name": "Books"}, "scopes"),
    ):
        answer = await api.post("/api/api-keys", wrong)
        assert (answer.status, answer.json()["errors"][0]["field"]) == (422, field)
    assert platform.api_keys.keys == {}


async def test_a_key_is_revoked(api: AdminApi, platform: Platform) -> None:
    secret = platform.api_keys.add()
    key_id = platform.api_keys.keys[secret].id
    for _ in range(2):
        assert (await api.delete(f"/api/api-keys/{key_id}")).status == 204
    (told,) = (await api.get("/api/api-keys")).json()["keys"]
    assert (told["revoked_by"], told["revoked_at"] is not None) == ("serg", True)
    assert ("serg", "api-key.revoke", "done") in platform.audit.told()
    for unknown in (UNKNOWN, "what"):
        answer = await api.delete(f"/api/api-keys/{unknown}")
        assert (answer.status, answer.json()["failure_reason"]) == (404, "api_key_not_found")


async def test_a_scope_of_a_newer_service_is_left_out(api: AdminApi, platform: Platform) -> None:
    newer = api_key_service_pb2.ApiScope.ValueType(99)
    platform.api_keys.add(scopes=(api_key_service_pb2.API_SCOPE_JOBS_READ, newer))
    (told,) = (await api.get("/api/api-keys")).json()["keys"]
    assert told["scopes"] == ["jobs:read"]


async def test_queues_and_workers_are_shown(api: AdminApi, platform: Platform) -> None:
    platform.queues.kill()
    told = (await api.get("/api/queues")).json()
    gemini, light, local = told["queues"]
    assert (gemini["name"], gemini["queued"], gemini["dead"], gemini["limit"]) == ("gemini", 2, 1, 4)
    assert (local["name"], local["dead"], local["oldest_at"]) == ("local", 0, None)
    assert (light["name"], light["workers"]) == ("light", 1)
    assert {worker["id"]: (worker["queues"], worker["guard"]) for worker in told["workers"]} == {
        "worker-1": (["gemini", "local"], None),
        "ingest-1": (["light"], None),
    }


async def test_a_dead_task_of_either_service_is_decided_on(api: AdminApi, platform: Platform) -> None:
    photo = platform.queues.kill()
    message = platform.light_queues.kill(queue="light", kind="webhook.deliver")
    (told,) = (await api.get("/api/queues/light/dead")).json()["tasks"]
    assert (told["task_id"], told["kind"], told["job_id"]) == (message.id, "webhook.deliver", None)
    for task in (photo, message):
        answer = await api.post(f"/api/queues/dead/{task.id}/requeue")
        assert (answer.status, answer.json()["queue"], answer.json()["state"]) == (200, task.queue, "queued")


async def test_a_service_from_before_it_had_queues_has_none(api: AdminApi, platform: Platform) -> None:
    for method in ("ListQueues", "ListWorkers", "RequeueTask"):
        older = a_refusal("UNIMPLEMENTED", ErrorKind.UNIMPLEMENTED)
        platform.light_queues.script.refusals[method] = older
    told = (await api.get("/api/queues")).json()
    assert [queue["name"] for queue in told["queues"]] == ["gemini", "local"]
    assert [worker["id"] for worker in told["workers"]] == ["worker-1"]
    answer = await api.post(f"/api/queues/dead/{UNKNOWN}/requeue")
    assert (answer.status, answer.json()["failure_reason"]) == (404, "task_not_found")


async def test_dead_tasks_are_paged(api: AdminApi, platform: Platform) -> None:
    tasks = [platform.queues.kill() for _ in range(3)]
    platform.queues.kill(queue="local")
    page = (await api.get("/api/queues/gemini/dead?limit=2")).json()
    assert [task["task_id"] for task in page["tasks"]] == [tasks[2].id, tasks[1].id]
    assert (page["tasks"][0]["job_id"], page["tasks"][0]["reason"]) == (tasks[2].unique_key, "provider_5xx")
    rest = (await api.get(f"/api/queues/gemini/dead?cursor={page['next_cursor']}")).json()
    assert ([task["task_id"] for task in rest["tasks"]], rest["next_cursor"]) == ([tasks[0].id], None)
    for unknown in ("nothing", "NO%20QUEUE"):
        answer = await api.get(f"/api/queues/{unknown}/dead")
        assert (answer.status, answer.json()["failure_reason"]) == (404, "queue_not_found")


async def test_a_dead_task_is_tried_again_or_given_up_once(api: AdminApi, platform: Platform) -> None:
    again, given_up = platform.queues.kill(), platform.queues.kill()
    answer = await api.post(f"/api/queues/dead/{again.id}/requeue")
    assert (answer.status, answer.json()["state"]) == (200, "queued")
    answer = await api.post(f"/api/queues/dead/{given_up.id}/drop")
    assert (answer.status, answer.json()["state"]) == (200, "failed")
    assert given_up.state == task_events_pb2.TASK_STATE_FAILED
    late = await api.post(f"/api/queues/dead/{again.id}/drop")
    assert (late.status, late.json()["failure_reason"]) == (409, "task_not_dead")
    told = [item for item in platform.audit.told() if item[1].startswith("task.")]
    assert told == [
        ("serg", "task.requeue", "done"),
        ("serg", "task.drop", "done"),
        ("serg", "task.drop", "task_not_dead"),
    ]


async def test_a_task_nobody_has_is_not_found(api: AdminApi) -> None:
    for unknown in (UNKNOWN, "what"):
        answer = await api.post(f"/api/queues/dead/{unknown}/requeue")
        assert (answer.status, answer.json()["failure_reason"]) == (404, "task_not_found")


async def test_a_service_that_cannot_tell_is_not_taken_for_one_without_queues(
    api: AdminApi, platform: Platform
) -> None:
    platform.queues.script.refusals["ListQueues"] = a_refusal("UNAVAILABLE", ErrorKind.UNAVAILABLE)
    answer = await api.get("/api/queues")
    assert (answer.status, answer.json()["failure_reason"]) == (503, "storage_unavailable")


async def test_an_admin_stops_and_repeats_a_clients_job(api: AdminApi, platform: Platform) -> None:
    program = Program(api.port, platform.api_keys.add(client_id="books"))
    job_id = (await program.submit()).json()["job_id"]
    stopped = await api.post(f"/api/jobs/{job_id}/cancel")
    assert (stopped.status, stopped.json()["status"], stopped.json()["source"]) == (200, "cancelled", "api")
    again = await api.post(f"/api/jobs/{job_id}/retry")
    assert (again.status, again.json()["status"]) == (202, "pending")
    assert platform.async_jobs.jobs[again.json()["job_id"]].client_id == "books"
    early = await api.post(f"/api/jobs/{again.json()['job_id']}/retry")
    assert (early.status, early.json()["failure_reason"]) == (409, "job_not_final")
    cameras = await api.post(f"/api/jobs/{UNKNOWN}/cancel")
    assert (cameras.status, cameras.json()["failure_reason"]) == (404, "job_not_found")
    assert [item[1:] for item in platform.audit.told() if item[1].startswith("job.")] == [
        ("job.cancel", "done"),
        ("job.retry", "done"),
        ("job.retry", "job_not_final"),
        ("job.cancel", "job_not_found"),
    ]
