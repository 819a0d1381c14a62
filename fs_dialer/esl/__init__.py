"""The event socket: bytes, messages, commands, translation to core events, and the connection."""
