"""The package's exceptions, one small tree; every message names the next step.

AutograderError
├── QuestionError     an author's forward pass, domain or option that cannot be used
└── CheckFailed       a student's answer that is not right yet (shown without a traceback)
"""

from __future__ import annotations

from autograder.messages import laid_out


class AutograderError(Exception):
    """Base of everything this package raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of the exception: the message, never our own frames."""
        return laid_out(str(self)).split("\n")


class QuestionError(AutograderError):
    """A question that cannot be made: names the line, what was seen and the remedy."""


class CheckFailed(AutograderError):
    """A visible check that failed; its text is all that a student sees.

    `shown`: what is shown of it instead, where the page has the text already.
    """

    def __init__(self, text: str, shown: str = "") -> None:
        super().__init__(text)
        self._shown = shown

    def _render_traceback_(self) -> list[str]:
        return [self._shown] if self._shown else super()._render_traceback_()
