"""`make bench`: every figure of docs/benchmarks.md, in one run."""

import shutil
import tempfile
from pathlib import Path

from bench import cold_import, history, intake, linear_time, providers, request_units, vendor_layer
from caseweave.cli.local_stack import Ports, local_client, start_stack, stop_stack


def main() -> None:
    state_dir = Path(tempfile.mkdtemp(prefix="caseweave-bench-"))
    try:
        print("starting a stack to measure on …", flush=True)
        outputs = start_stack(state_dir, Ports.from_base(25566))
        dynamodb = local_client("dynamodb", outputs["EndpointUrl"])
        intake.run(dynamodb, outputs)
        providers.run(outputs)
        request_units.run(dynamodb, outputs)
        cold_import.run()
        vendor_layer.run(state_dir)
        history.run()
        linear_time.run()
    finally:
        stop_stack(state_dir)
        shutil.rmtree(state_dir, ignore_errors=True)


if __name__ == "__main__":
    main()
