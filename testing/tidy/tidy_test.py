"""Runs every check over the source tree, one test for each."""

import unittest

from testing.tidy import build_files, comments, completeness, declarations, includes, lengths
from testing.tidy import public_headers, quotes, source_tree, words


class TidyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sources = source_tree.read_tree(source_tree.find_root())

    def assert_none(self, findings):
        lines = [str(finding) for finding in findings]
        self.assertFalse(lines, "\n" + "\n".join(lines))

    def assert_clean(self, check):
        self.assert_none(finding for source in self.sources for finding in check(source))

    def test_tree_was_found(self):
        paths = {source.path for source in self.sources}
        self.assertLessEqual({"WORKSPACE", "testing/tidy/tidy_test.py"}, paths)

    def test_file_length(self):
        self.assert_clean(lengths.check_file_length)

    def test_function_length(self):
        self.assert_clean(lengths.check_function_length)

    def test_line_length(self):
        self.assert_clean(lengths.check_line_length)

    def test_words(self):
        self.assert_clean(words.check_words)

    def test_include_owners(self):
        self.assert_clean(includes.check_include_owners)

    def test_include_layers(self):
        self.assert_clean(includes.check_include_layers)

    def test_hidden_headers(self):
        self.assert_clean(includes.check_hidden_headers)

    def test_unfinished(self):
        self.assert_clean(comments.check_unfinished)

    def test_tags(self):
        self.assert_clean(build_files.check_tags)

    def test_downloads(self):
        self.assert_clean(build_files.check_downloads)

    def test_hosts(self):
        self.assert_clean(build_files.check_hosts)

    def test_public_comments(self):
        self.assert_clean(public_headers.check_public_comments)

    def test_every_source_is_built(self):
        self.assert_none(completeness.check_every_source_is_built(self.sources))

    def test_quotes(self):
        self.assert_none(quotes.check_quotes(self.sources))

    def test_dead_declarations(self):
        self.assert_none(declarations.check_dead_declarations(self.sources))

    def test_every_layer_is_tested(self):
        self.assert_none(completeness.check_every_layer_is_tested(self.sources))


if __name__ == "__main__":
    unittest.main()
