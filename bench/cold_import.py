"""The cold import of the intake handlers, beside `import boto3` and a DynamoDB client."""

import os
import statistics
import subprocess
import sys
import time

BARE = "import boto3; boto3.client('dynamodb', region_name='us-east-1')"
OURS = {
    "sms": "import sys; sys.path.insert(0, 'functions/intake'); import sms",
    "web": "import sys; sys.path.insert(0, 'functions/intake'); import web",
    "messenger": "import sys; sys.path.insert(0, 'functions/intake'); import messenger",
    "mail": "import sys; sys.path.insert(0, 'functions/intake'); import mail",
}
RUNS, BUDGET = 7, 1.3
ENVIRONMENT = {
    "TABLE_NAME": "bench",
    "PARAMETER_PREFIX": "/caseweave/bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_SERVICE_NAME": "bench",
}


def run() -> None:
    """Interleaved runs of whole interpreters; the interpreter's own start is taken off both."""
    codes = {"nothing": "pass", "bare": BARE, **OURS}
    seconds: dict[str, list[float]] = {name: [] for name in codes}
    for number in range(RUNS + 1):
        for name, code in codes.items():
            spent = _seconds(code)
            if number:
                seconds[name].append(spent)
    start = statistics.median(seconds["nothing"])
    bare = statistics.median(seconds["bare"]) - start
    print(f"cold import, boto3 and a DynamoDB client: {bare * 1000:.0f} ms")
    for name in OURS:
        ours = statistics.median(seconds[name]) - start
        print(
            f"cold import, intake/{name}: {ours * 1000:.0f} ms, ratio {ours / bare:.2f}; "
            f"budget {BUDGET}"
        )


def _seconds(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **ENVIRONMENT})
    return time.perf_counter() - started
