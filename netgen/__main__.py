"""`python -m netgen` is the command `netgen`."""

from netgen.cli.main import main

if __name__ == "__main__":
    main()
