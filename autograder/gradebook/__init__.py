"""The gradebook for instructors: grades as a table and as CSV, import of a class list, new seeds for hidden tests."""
