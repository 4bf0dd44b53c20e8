"""Counts the tests of one step: `count_tests.py STATUS EVENTS` prints passed, failed, skipped.

EVENTS is the file that Bazel wrote with --build_event_json_file. The cases in the report
of each test program are counted. A program without a report (it crashed, timed out or was
not built) is one failure. A target that is incompatible with this machine is one skip. A
step without tests is one pass or one failure.
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree as xml


def count_cases(path):
    """(passed, failed, skipped) of one test.xml."""
    passed = failed = skipped = 0
    for case in xml.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("result") in ("skipped", "suppressed"):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def report_path(outputs):
    """The local path of test.xml among a test's outputs, or None."""
    for output in outputs:
        if output.get("name") == "test.xml":
            return urllib.parse.unquote(urllib.parse.urlparse(output.get("uri", "")).path)
    return None


def count_result(result):
    """(passed, failed, skipped) of one run of one test program."""
    passed = result.get("status") == "PASSED"
    try:
        cases = count_cases(report_path(result.get("testActionOutput", [])))
    except (OSError, TypeError, xml.ParseError):
        cases = (0, 0, 0)
    if not passed and cases[1] == 0:
        return cases[0], 1, cases[2]  # it failed, although no case failed
    return cases if sum(cases) else (1, 0, 0)


def count_events(lines):
    """(passed, failed, skipped) of one run of Bazel."""
    totals = [0, 0, 0]
    for line in lines:
        event = json.loads(line)
        counts = (0, 0, 0)
        if "testResult" in event:
            counts = count_result(event["testResult"])
        elif event.get("aborted", {}).get("reason") == "SKIPPED":
            counts = (0, 0, 1)
        elif "targetCompleted" in event["id"] and not event.get("completed", {}).get("success"):
            counts = (0, 1, 0)
        totals = [total + count for total, count in zip(totals, counts)]
    return totals


def main():
    status, path = int(sys.argv[1]), sys.argv[2]
    try:
        with open(path, encoding="utf-8") as file:
            passed, failed, skipped = count_events(file)
    except FileNotFoundError:
        passed = failed = skipped = 0
    if status and not failed:
        failed = 1
    elif not status and not passed:
        passed = 1
    print(passed, failed, skipped)


if __name__ == "__main__":
    main()
