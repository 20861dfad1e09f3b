from seqkit.diagnostics.nan_guard import main

if __name__ == "__main__":
    raise SystemExit(main())
