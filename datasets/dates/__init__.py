"""Dates as people write them in two dozen locales, and in ISO 8601."""

from datasets.card import Card

CARD = Card(
    title="Dates in two dozen locales",
    data="dates, generated with the Unicode locale data of Babel, https://babel.pocoo.org",
    licence="Unicode License (the locale data), BSD-3-Clause (Babel)",
    model_licence="Apache-2.0",
    citation="Unicode Consortium: Common Locale Data Repository (CLDR), as packaged by Babel",
    releasable=True,
)
