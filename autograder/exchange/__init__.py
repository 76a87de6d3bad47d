"""nbgrader's exchange, made safe against hostile submissions and full disks; configured as `c.ExchangeFactory`."""

from autograder.exchange.atomic import Fetch, Release
from autograder.exchange.collect import Collect
from autograder.exchange.release_feedback import ReleaseFeedback
from autograder.exchange.root import FetchFeedback, List
from autograder.exchange.submit import Submit

__all__ = ["Collect", "Fetch", "FetchFeedback", "List", "Release", "ReleaseFeedback", "Submit"]
