"""The workloads, a family per file; rows.py says how one is written."""
