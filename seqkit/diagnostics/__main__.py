"""`python -m seqkit.diagnostics --replay FILE`: repeat a step that a `NanGuard` saved."""

from seqkit.diagnostics.nan_guard import main

if __name__ == "__main__":
    raise SystemExit(main())
