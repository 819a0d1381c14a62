"""HTTP faces of the daemon."""
