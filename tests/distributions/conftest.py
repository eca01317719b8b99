"""The tests wait for the primitives that distributions draw from."""

from __future__ import annotations

import kagari

_NEEDED = ("_sample_dirichlet", "_standard_gamma", "binomial", "logsumexp", "poisson", "sort")

collect_ignore_glob = [] if all(hasattr(kagari, name) for name in _NEEDED) else ["test_*.py"]
