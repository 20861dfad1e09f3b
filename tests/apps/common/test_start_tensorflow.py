"""Memory is kept from step to step."""

import platform
import subprocess
import sys

import pytest

FAULTS_OF_THE_SECOND_TIME = """
import resource, sys
import numpy as np
from apps.common import start_tensorflow

if sys.argv[1] == "kept":
    start_tensorflow._keep_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.full(10_000_000, 1.0)  # 80 MB, freed at once
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc is configured to keep memory"
)
def test_freed_memory_is_not_requested_again_from_the_system():
    def faults(how):
        command = [sys.executable, "-c", FAULTS_OF_THE_SECOND_TIME, how]
        return int(subprocess.run(command, check=True, capture_output=True).stdout)

    assert faults("kept") < 20 < faults("given back")
