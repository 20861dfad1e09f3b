"""File formats: one reader each, for any data set and for a user's own files."""
