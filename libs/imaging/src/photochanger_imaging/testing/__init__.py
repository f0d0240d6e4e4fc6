"""Pictures for tests, built in code: well-formed ones with every kind of metadata, odd ones, hostile ones.

For the tests of every package; no service imports it.
"""
