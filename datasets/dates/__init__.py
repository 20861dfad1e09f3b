"""Dates as people write them in two dozen locales, and in ISO 8601."""
