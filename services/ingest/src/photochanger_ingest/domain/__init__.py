"""Slots, jobs and the rules that hold for them. No I/O, no asyncio."""
