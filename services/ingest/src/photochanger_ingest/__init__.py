"""Admits cameras' photos as jobs, runs each through its slot's provider, and keeps what came of it."""
