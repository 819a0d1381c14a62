"""YAML to frozen dataclasses, or every problem with file:line:column."""
