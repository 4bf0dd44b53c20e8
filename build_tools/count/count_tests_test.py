"""The count includes all failures and skips."""

import json
import os
import tempfile
import unittest

from build_tools.count.count_tests import count_events

REPORT = """<testsuites><testsuite>
  <testcase name="a"/>
  <testcase name="b" result="completed"/>
  <testcase name="c" result="skipped"><skipped message="no io_uring"/></testcase>
  {extra}
</testsuite></testsuites>"""


def result(status, path=None):
    outputs = [{"name": "test.log", "uri": "file:///nowhere"}]
    if path:
        outputs.append({"name": "test.xml", "uri": "file://" + path})
    event = {"status": status, "testActionOutput": outputs}
    return json.dumps({"id": {"testResult": {}}, "testResult": event})


class CountTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "test.xml")

    def report(self, extra=""):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(REPORT.format(extra=extra))
        return self.path

    def test_each_case_is_counted(self):
        self.assertEqual(count_events([result("PASSED", self.report())]), [2, 0, 1])

    def test_each_failed_case_is_counted(self):
        path = self.report('<testcase name="d"><failure/></testcase><testcase><error/></testcase>')
        self.assertEqual(count_events([result("FAILED", path)]), [2, 2, 1])

    def test_crash_after_passed_cases_is_a_failure(self):
        self.assertEqual(count_events([result("FAILED", self.report())]), [2, 1, 1])

    def test_program_without_a_report_is_counted_once(self):
        self.assertEqual(count_events([result("PASSED")]), [1, 0, 0])
        self.assertEqual(count_events([result("TIMEOUT")]), [0, 1, 0])

    def test_target_that_was_not_built_is_a_failure(self):
        event = {"id": {"targetCompleted": {"label": "//a"}}, "completed": {}}
        self.assertEqual(count_events([json.dumps(event)]), [0, 1, 0])

    def test_incompatible_target_is_a_skip(self):
        event = {"id": {"targetCompleted": {}}, "aborted": {"reason": "SKIPPED"}}
        self.assertEqual(count_events([json.dumps(event)]), [0, 0, 1])

    def test_built_target_is_not_a_test(self):
        event = {"id": {"targetCompleted": {}}, "completed": {"success": True}}
        self.assertEqual(count_events([json.dumps(event)]), [0, 0, 0])


if __name__ == "__main__":
    unittest.main()
