"""Pure renderers of FreeSWITCH dialplan XML."""
