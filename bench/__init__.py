"""Benchmarks, one file each; bench/__main__.py runs them."""
