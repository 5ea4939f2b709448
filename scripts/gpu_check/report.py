"""Lines of the report and the count of what failed."""
import traceback

_counts = {"passed": 0, "failed": 0, "skipped": 0}


def section(name: str) -> None:
    print(f"\n== {name}", flush=True)


def skip(what: str, why: str) -> None:
    _counts["skipped"] += 1
    print(f"  skipped  {what}: {why}", flush=True)


def check(what: str, body) -> None:
    """Runs `body`; it fails by an exception or by a non-empty list of what is wrong."""
    try:
        wrong = body() or []
    except Exception as error:  # a check that can't be run has failed
        wrong = [f"{type(error).__name__}: {error}", *traceback.format_exc().strip().split("\n")[-3:-1]]
    _counts["failed" if wrong else "passed"] += 1
    print(f"  {'FAILED ' if wrong else 'ok     '}  {what}", flush=True)
    for line in wrong[:8]:
        print(f"             {line}")
    if len(wrong) > 8:
        print(f"             and {len(wrong) - 8} more")


def finish() -> int:
    print(f"\ngpu-check: {_counts['passed']} passed, {_counts['failed']} failed, {_counts['skipped']} skipped")
    return 1 if _counts["failed"] or not _counts["passed"] else 0
