"""The store: PostgreSQL, an in-memory twin under the same contract, migrations, and an embedded server for demo and tests."""
