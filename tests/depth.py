"""How far the slow property tests look: `make test` a little, `make test-deep` ten times as far."""

import os

DEPTH = int(os.environ.get("CASEWEAVE_DEPTH", "1"))
