"""For students without a hub: check a notebook as it will be graded, and pack it; needs what the kit installs."""
