"""The pure core: it decides, and touches nothing. No I/O, clock, randomness source, logging, gevent, psycopg2 or yaml (a test walks the imports)."""
