"""Runs one unittest module and reports the result of each test to Bazel."""

import os
import sys
import time
import unittest
import xml.etree.ElementTree as xml


class _Result(unittest.TextTestResult):
    """A text result that also records a <testcase> for each test."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.suite = xml.Element("testsuite", name="unittest")
        self._started = 0.0

    def startTest(self, test):
        super().startTest(test)
        self._started = time.monotonic()
        folder, _, name = test.id().rpartition(".")
        self._case = xml.SubElement(self.suite, "testcase", name=name, classname=folder)

    def stopTest(self, test):
        self._case.set("time", f"{time.monotonic() - self._started:.3f}")
        super().stopTest(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        xml.SubElement(self._case, "failure").text = self.failures[-1][1]

    def addError(self, test, err):
        super().addError(test, err)
        xml.SubElement(self._case, "error").text = self.errors[-1][1]

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        xml.SubElement(self._case, "skipped", message=reason)


def main():
    module = sys.argv[1].removesuffix(".py").replace("/", ".")
    tests = unittest.defaultTestLoader.loadTestsFromName(module)
    result = unittest.TextTestRunner(resultclass=_Result, verbosity=2).run(tests)
    output = os.environ.get("XML_OUTPUT_FILE")
    if output:
        suites = xml.Element("testsuites")
        suites.append(result.suite)
        xml.ElementTree(suites).write(output, encoding="utf-8", xml_declaration=True)
    # A module without tests fails.
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)


if __name__ == "__main__":
    main()
