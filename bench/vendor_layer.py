"""The unpacked size of the vendor layer, as it was built for this stack."""

from pathlib import Path

BUDGET_MB = 20


def run(state_dir: Path) -> None:
    (layer,) = state_dir.glob("**/VendorLayer/python")
    size = sum(path.stat().st_size for path in layer.rglob("*") if path.is_file())
    print(f"vendor layer: {size / 1e6:.1f} MB unpacked; budget {BUDGET_MB} MB")
