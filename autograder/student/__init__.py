"""The student's side of a question: the functions of a notebook, and what became of the cells that define them."""
