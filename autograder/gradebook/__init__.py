"""The gradebook for instructors: grades as a table and as CSV, and the import of a class list."""
