"""The names by which the readers of lead files were known while they read CSV alone; all of them live in lead_file.py and leads_rows.py."""

from fs_dialer.config.lead_file import LeadFile
from fs_dialer.config.leads_rows import COLUMNS, MAX_CELL_BYTES, PROBLEM_COLUMN, BadRow, CellProblem, GoodRow

__all__ = ["COLUMNS", "MAX_CELL_BYTES", "PROBLEM_COLUMN", "BadRow", "CellProblem", "GoodRow", "LeadFile"]
