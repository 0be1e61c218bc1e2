"""How a check of the suite fails."""


def require(condition: bool, message: str) -> None:
    """Raise AssertionError with ``message`` unless ``condition`` holds."""
    # Not `assert`: the suite must also bite under `python -O`.
    if not condition:
        raise AssertionError(message)
