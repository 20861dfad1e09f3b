"""`python -m seqkit.export DIR`: self-test an export."""

from seqkit.export.proof import main

main()
