"""`python -m photochanger_gateway [serve]`."""

import argparse

from photochanger_gateway.main import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="photochanger-gateway", description="The HTTP gateway.")
    parser.add_argument("command", nargs="?", choices=["serve"], default="serve", help="serve until SIGTERM")
    parser.parse_args()
    main()
