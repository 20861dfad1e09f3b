"""The one exception that a user of an app is meant to see."""


class UserError(Exception):
    """Something the user can put right; shown as one line, without a traceback, exit code 2."""
