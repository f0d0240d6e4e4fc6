"""`python -m photochanger_gateway [serve | openapi]`."""

import argparse
import asyncio
import json
import sys

import structlog

from photochanger_gateway.main import describe, main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="photochanger-gateway", description="The HTTP gateway.")
    parser.add_argument(
        "command",
        nargs="?",
        choices=["serve", "openapi"],
        default="serve",
        help="serve until SIGTERM; or print the OpenAPI document, for which nothing need run",
    )
    if parser.parse_args().command == "openapi":
        # The document has standard output for itself.
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        json.dump(asyncio.run(describe()), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        main()
