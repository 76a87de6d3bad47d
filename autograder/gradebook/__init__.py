"""What instructors take out of a gradebook and put into it: grades as a table, a class list, files for spreadsheets."""
