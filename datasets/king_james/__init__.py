"""The King James Bible, alone and in parallel with modern English."""
