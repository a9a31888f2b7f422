"""The calls that were made, in order, so that a test can say what was asked and by whom."""

from .protocol import Call

# A state file or a function's code is of no use in a log; what a request names is at its start.
_KEPT_BODY_BYTES = 4096


class CallLog:
    """Every AWS call since the last reset; the emulator's own endpoints are not calls."""

    def __init__(self) -> None:
        self.entries: list[dict] = []

    def record(self, call: Call, status: int | None, ruled: bool, note: str = "") -> None:
        """Adds a call: `status` is none for a call that never got an answer, `ruled` says that a rule decided it."""
        self.entries.append(
            {
                "service": call.service,
                "operation": call.operation,
                "method": call.method,
                "path": call.path,
                "body": call.body[:_KEPT_BODY_BYTES].decode("utf-8", "replace"),
                "user_agent": call.user_agent,
                "status": status,
                "ruled": ruled,
                "note": note,
            }
        )

    def clear(self) -> None:
        """Forgets every call."""
        self.entries.clear()
