"""`python -m photochanger_ingest serve|migrate`."""

from photochanger_ingest.main import main

main()
