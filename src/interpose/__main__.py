"""`python -m interpose`: the same program as the `interpose` command, for where scripts are not on the path."""

from interpose.cli.main import main

if __name__ == "__main__":
    main()
