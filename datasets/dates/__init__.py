"""Dates in two dozen locales and in ISO 8601."""
