"""Hand-written derivatives, checked against torch.autograd.

    from autograder import question

Everything a course needs is `question`; see the README of the project.
"""

from autograder._errors import AutograderError, CheckFailed, QuestionError
from autograder._question import Question, question

__all__ = ["AutograderError", "CheckFailed", "Question", "QuestionError", "question"]
__version__ = "0.1.0"
