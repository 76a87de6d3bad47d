"""What is seen in a wrong answer besides its links: rounded numbers, cases that are missing, lines that mislead."""
