"""A student whose answers at hidden points are heard as those of a room are when a class is graded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autograder.questions import Question
from autograder.student.kernel import KernelStudent, answering
from autograder.student.protocol import Reply, Request
from autograder.workers import redaction
from tests.conftest import QUESTIONS, Class

Q5 = QUESTIONS["q5"]
HEAD = "def grad_q5(x):\n    f = 3+6*x+7*x**2+3*x**3+8*x**4\n"


class Graded(Class):
    def ask(self, request: Request) -> Reply:
        """As after a check: what the function gave at the seed's point is known."""
        student = KernelStudent(self.namespace)
        question = next(q for q in QUESTIONS.values() if request.function == f"grad_{q.name}")
        shown = replace(request, points=(question.at,), show=True)
        known = redaction.redact(student.ask(shown), shown, self.namespace["In"])
        reply = student.ask(request)
        sealed = redaction.redact(reply, request, self.namespace["In"], known)
        return replace(sealed, cells=reply.cells, modules=reply.modules)

    def verdict(self, question: Question, answer: Callable[..., Any] | str | None = None, seed: int | str = 1) -> Any:
        assert isinstance(answer, str)
        self.run(answer)
        with answering(self):
            return question.judge(seed)


def told(student: Class, body: str, before: str = "") -> str:
    return str(student.verdict(Q5, before + HEAD + "".join(f"    {line}\n" for line in body.split("\n"))).text)
