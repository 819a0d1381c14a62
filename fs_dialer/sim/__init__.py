"""A simulated FreeSWITCH and the people on its phones."""
