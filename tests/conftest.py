"""What every test gets: property tests without a deadline, replayable by the seed they print."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadline: a noisy machine is not a wrong program. In CI the inputs are the same in every run of the same code.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
