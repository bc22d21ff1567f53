"""``python -m avfake`` is ``avfake``."""

from avfake.cli import main

if __name__ == "__main__":
    main()
