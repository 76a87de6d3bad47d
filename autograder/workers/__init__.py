"""The processes in which cells run: started, forked, locked, asked and ended."""
