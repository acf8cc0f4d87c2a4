"""`./dev demo` sets the stage and waits; `./dev demo --script` runs the tour by itself."""

from __future__ import annotations

import sys
import time

from demo.stage import say, stage
from demo.tour import Tour, TourError, invitation


def main() -> int:
    """Run; answers the exit status."""
    script = "--script" in sys.argv[1:]
    started = time.monotonic()
    try:
        with stage() as scene:
            if script:
                Tour(scene).run()
                print()
                say(f"the tour took {time.monotonic() - started:.0f} s")
                return 0
            print(invitation(scene))
            print("The gateway is running. Ctrl-C stops everything.", flush=True)
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        return 0 if not script else 130
    except (TourError, RuntimeError) as error:
        print(f"\nthe demo stopped: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
