"""The layering check itself: small trees with and without a forbidden include."""

import pathlib
import tempfile
import unittest

import check_layers


class LayersTest(unittest.TestCase):
    def faults(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return list(check_layers.check(root))

    def test_arrows_of_the_table_pass(self):
        self.assertEqual([], self.faults({
            "sim/core/a.h": '#include <vector>\n#include "sim/core/b.h"\n',
            "profiles/a.cpp": '#include "sim/core/time.h"\n',
            "policies/planners/a.cpp": '#include "policies/plan.h"\n#include "workloads/trace.h"\n',
            "sim/results/a.h": '#include "policies/plan.h"\n',
            "sim/a.cpp": '#include "sim/scenario/scenario.h"\n',
            "engine/a.cpp": '#include "sim/results/result.h"\n',
            "cli/main.cpp": '#include "validate/compare.h"\n#include "sim/simulation.h"\n',
        }))

    def test_arrows_against_the_table_fail_with_file_and_line(self):
        for name, included in [
            ("sim/core/a.h", "profiles/profile.h"),
            ("profiles/a.cpp", "workloads/trace.h"),
            ("workloads/a.h", "policies/plan.h"),
            ("policies/dispatchers/a.cpp", "sim/simulation.h"),
            ("policies/a.h", "sim/results/result.h"),
            ("sim/scenario/a.h", "sim/simulation.h"),
            ("sim/scenario/a.h", "sim/results/result.h"),
            ("engine/a.cpp", "sim/simulation.h"),
            ("validate/a.cpp", "cli/table.h"),
        ]:
            with self.subTest(name=name, included=included):
                faults = self.faults({name: f'// first line\n  # include "{included}"\n'})
                self.assertEqual(1, len(faults))
                self.assertTrue(faults[0].startswith(f'{name}:2: "{included}" is forbidden'))

    def test_details_belong_to_their_own_folder(self):
        include = '#include "policies/detail/books.h"\n'
        self.assertEqual([], self.faults({"policies/dispatcher.h": include}))
        self.assertEqual(1, len(self.faults({"sim/simulation.cpp": include})))

    def test_includes_start_at_the_root(self):
        for included in ["profile.h", "../profiles/profile.h", "profiles/../sim/simulation.h"]:
            with self.subTest(included=included):
                self.assertEqual(1, len(self.faults({"policies/a.cpp": f'#include "{included}"\n'})))

    def test_system_includes_and_comments_are_not_includes_of_ours(self):
        self.assertEqual([], self.faults({
            "sim/core/a.h": '#include <nlohmann/json.hpp>\n// #include "cli/main.h"\n'}))


if __name__ == "__main__":
    unittest.main()
