"""The shell around the core: ports, the live loop, the virtual loop, reconciliation, the journal."""
