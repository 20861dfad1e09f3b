"""The exception for errors that the user of an app can fix."""


class UserError(Exception):
    """An error the user can fix; shown as one line, without a traceback, with exit code 2."""
