"""A program that hands in photos over HTTP, by API key."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from harness.admin_api import AdminApi, Reply, admin_api
from harness.camera import PATIENCE_SECONDS, a_photo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from harness.platform import Platform

SCOPES = ("jobs:read", "jobs:write", "webhooks:manage")


@dataclass(frozen=True)
class Program:
    """Requests of one API client; `key_id` is that of its key."""

    api: AdminApi
    key_id: str
    key: str = field(repr=False)

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Reads."""
        return await self.api.ask("GET", path, headers=headers)

    async def post(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Posts JSON, or nothing."""
        return await self.api.ask("POST", path, body, headers=headers)

    async def submit(self, order: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> Reply:
        """Submits a photo like no other."""
        return await self.api.post_picture("/api/v1/jobs", "photo", a_photo(), headers=headers, **order)

    async def submit_many(self, count: int, **order: object) -> list[str]:
        """Submits jobs alike for one photo, as a batch; returns their ids."""
        photo_id = (await self.api.post_picture("/api/v1/media", "photo", a_photo())).json["media_object_id"]
        answer = await self.post(
            "/api/v1/jobs/batch", {"jobs": [{"media_object_id": photo_id, **order}] * count}
        )
        assert answer.status == 200, answer.body
        return [job["job_id"] for job in answer.json["jobs"]]

    async def look(self, job_id: str) -> dict[str, Any]:
        """The job as it is."""
        job: dict[str, Any] = (await self.get(f"/api/v1/jobs/{job_id}")).json
        return job

    async def final(self, job_id: str) -> dict[str, Any]:
        """The job in its final state."""
        told = await self.get(f"/api/v1/jobs/{job_id}", {"Prefer": "wait=50"})
        assert told.status == 200, told.body
        job: dict[str, Any] = told.json
        return job


@asynccontextmanager
async def a_program(platform: Platform, name: str = "Books") -> AsyncIterator[Program]:
    """A client of its own, with limits of its own."""
    async with admin_api(platform) as admin:
        made = await admin.ask("POST", "/api/api-keys", {"name": name, "scopes": list(SCOPES)})
    assert made.status == 201, made.body
    url = platform.stack.plan.gateway_url
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS + 60)
    headers = {"Authorization": f"Bearer {made.json['key']}"}
    async with aiohttp.ClientSession(url, timeout=timeout, headers=headers) as session:
        yield Program(AdminApi(session), made.json["api_key"]["id"], made.json["key"])
