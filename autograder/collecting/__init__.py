"""Work that came as files instead of through the exchange: from a folder, Moodle or Canvas into the course and back."""
