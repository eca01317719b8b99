"""The parts of DataLoader: fetching, collating, worker processes."""
