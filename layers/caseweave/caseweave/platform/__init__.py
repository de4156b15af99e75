"""The business's own backend, as far as Caseweave asks it anything."""
