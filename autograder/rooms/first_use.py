"""What SQLAlchemy and nbformat make when they are first used, and keep: made while another process starts."""

from __future__ import annotations

import nbformat
from nbformat.v4 import new_notebook
from nbgrader.api import Base
from sqlalchemy import create_engine


def make() -> None:
    """nbgrader's tables and queries as SQLAlchemy wants them, and nbformat's validator; nothing stays open."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(bind=engine)
    Base.registry.configure()
    engine.dispose()
    nbformat.validate(new_notebook(), relax_add_props=True)
