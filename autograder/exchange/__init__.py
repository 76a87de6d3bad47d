"""nbgrader's exchange, careful with what students wrote and with full disks; set through `c.ExchangeFactory`."""

from autograder.exchange._collect import Collect
from autograder.exchange._whole import Fetch, Release, Submit
from autograder.exchange.release_feedback import ReleaseFeedback

__all__ = ["Collect", "Fetch", "Release", "ReleaseFeedback", "Submit"]
