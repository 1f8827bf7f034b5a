"""The check that every test is built: a tree with one test in the build and one outside it."""

import json
import pathlib
import tempfile
import unittest

import check_tests_built


class TestsBuiltTest(unittest.TestCase):
    def test_a_test_that_is_not_compiled_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "tests" / "a").mkdir(parents=True)
            for name in ["built_test.cpp", "forgotten_test.cpp", "fixture.cpp"]:
                (root / "tests" / "a" / name).touch()
            commands = root / "compile_commands.json"
            commands.write_text(json.dumps(
                [{"directory": folder, "file": str(root / "tests" / "a" / "built_test.cpp")}]))
            self.assertEqual(["tests/a/forgotten_test.cpp"],
                             check_tests_built.left_out(root, commands))
            self.assertEqual([], check_tests_built.left_out(root, commands, ["tests/a"]))


if __name__ == "__main__":
    unittest.main()
