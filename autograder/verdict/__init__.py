"""The verdict on an answer: right or wrong, the first wrong link of its chain, and what a student reads about it.

    judge     from answers to a verdict          chain      each named adjoint, given those above it
    slips     the known mistakes at a link       diagnosis  the first wrong link in words
    function_rules  wrong rules of functions     formulas   those that are one formula, and the right ones
    sites     where a line has a function        operations what an expression does to a node
    wording   a local derivative in words        lines      lines that mean something else to Python
    rounding  results that are rounded           cases      a case (an `if`) that is missing
    unusable  replies that are not two numbers   shown      how it looks on a page

`exactness` sees from the numbers whether a right answer is near instead of exact; `kinds` holds the verdict, as data.
"""
