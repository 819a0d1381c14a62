"""Pure renderers of IVR flows to FreeSWITCH XML."""
