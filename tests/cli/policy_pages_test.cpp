// docs/policies: what is made is up to date, what is written by hand is there and true.
#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command.h"
#include "policies/registry.h"
#include "sim/core/atomic_file.h"

namespace tangram::cli_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kEnd = "<!-- Made part ends here: write below. -->\n";

fs::path source() {
  return TANGRAM_SOURCE_DIR;
}
fs::path pages_folder() {
  return source() / "docs/policies";
}

std::set<std::string> registered() {
  std::set<std::string> names;
  for (const std::vector<std::string>& kind :
       {planner_names(), dispatcher_names(), stage_dispatcher_names(), slo_split_names(),
        replan_rule_names()}) {
    names.insert(kind.begin(), kind.end());
  }
  return names;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string page(const std::string& name) {
  return read_file((pages_folder() / (name + ".md")).string());
}

std::string by_hand(const std::string& name) {
  const std::string text = page(name);
  const std::size_t end = text.find(kEnd);
  return end == std::string::npos ? "" : text.substr(end + kEnd.size());
}

TEST(PolicyPages, AreWhatTheCommandWrites) {
  const Folder folder;
  fs::copy(pages_folder(), folder.path("pages"), fs::copy_options::recursive);
  const Outcome outcome = folder.tangram({"describe", "--pages", "pages"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "") << "stale: run tangram describe --pages docs/policies";
}

TEST(PolicyPages, EveryPolicyHasOneWithAPartWrittenByHandThatShowsARun) {
  for (const std::string& name : registered()) {
    ASSERT_TRUE(fs::exists(pages_folder() / (name + ".md"))) << name;
    const std::string text = by_hand(name);
    EXPECT_GE(lines_of(text).size(), 8U) << name;
    EXPECT_THAT(text, HasSubstr("```console\n$ tangram ")) << name;
  }
}

TEST(PolicyPages, EveryLinkLeadsSomewhere) {
  const std::regex link(R"(\]\(([^)#]*)(#[^)]*)?\))");
  for (const fs::directory_entry& entry : fs::directory_iterator(pages_folder())) {
    const std::string text = read_file(entry.path().string());
    for (std::sregex_iterator it(text.begin(), text.end(), link), last; it != last; ++it) {
      const std::string target = (*it)[1];
      if (target.starts_with("http")) continue;
      const fs::path path = target.empty() ? entry.path() : pages_folder() / target;
      ASSERT_TRUE(fs::exists(path)) << entry.path().filename() << ": " << target;
      if (!(*it)[2].matched) continue;
      // An anchor is a heading in lower case, blanks as dashes, without punctuation.
      const std::string anchor = (*it)[2].str().substr(1);
      std::vector<std::string> anchors;
      for (const std::string& line : lines_of(read_file(path.string()))) {
        if (!line.starts_with("#")) continue;
        std::string made;
        for (const char c : line.substr(line.find(' ') + 1)) {
          if (c == ' ') made += '-';
          if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') {
            made += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
          }
        }
        anchors.push_back(made);
      }
      EXPECT_THAT(anchors, ::testing::Contains(anchor)) << entry.path().filename();
    }
  }
}

// A command line of a page as its words; '...' holds blanks together.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool is_quoted = false;
  for (const char c : line + ' ') {
    if (c == '\'') {
      is_quoted = !is_quoted;
    } else if (c == ' ' && !is_quoted) {
      if (!word.empty()) words.push_back(word);
      word.clear();
    } else {
      word += c;
    }
  }
  return words;
}

class PolicyPage : public ::testing::TestWithParam<std::string> {};

// Lines may be left out, and the right end of a line; what is shown is in the order of the output.
TEST_P(PolicyPage, ShowsWhatItsCommandsPrint) {
  const Folder folder;
  fs::create_directory_symlink(source() / "scenarios", folder.path("scenarios"));
  std::vector<std::string> printed;
  std::size_t next = 0;
  bool is_shown = false;
  for (const std::string& line : lines_of(by_hand(GetParam()))) {
    if (line.starts_with("```")) {
      is_shown = line == "```console";
    } else if (is_shown && line.starts_with("$ tangram ")) {
      const Outcome outcome = folder.tangram(words_of(line.substr(10)));
      EXPECT_EQ(outcome.exit_code, 0) << line << '\n' << outcome.err;
      printed = lines_of(outcome.out + outcome.err);
      next = 0;
    } else if (is_shown) {
      while (next < printed.size() && !printed[next].starts_with(line)) ++next;
      EXPECT_LT(next++, printed.size()) << "not printed, or not in this order:\n" << line;
    }
  }
}

std::vector<std::string> registered_names() {
  const std::set<std::string> names = registered();
  return {names.begin(), names.end()};
}
INSTANTIATE_TEST_SUITE_P(Of,
                         PolicyPage,
                         ::testing::ValuesIn(registered_names()),
                         [](const auto& policy) { return policy.param; });

TEST(PolicyPages, KeepWhatIsWrittenByHandAndBeginWhatIsMissing) {
  const Folder folder;
  fs::create_directory(folder.path("pages"));
  EXPECT_EQ(folder.tangram({"describe", "--pages", "pages"}).exit_code, 0);
  const std::string made = folder.read("pages/fifo.md");
  EXPECT_THAT(made, AllOf(HasSubstr("# fifo\n"), HasSubstr("No parameters.")));
  folder.write("pages/fifo.md", "Above.\n" + made + "By hand.\n");
  std::string stale = folder.read("pages/edf.md");
  stale.replace(stale.find("slack_ms"), 8, "slick_ms");
  folder.write("pages/edf.md", stale + "Also by hand.\n");
  const Outcome outcome = folder.tangram({"describe", "--pages", "pages"});
  EXPECT_EQ(outcome.out, "pages/edf.md\n");
  EXPECT_EQ(folder.read("pages/fifo.md"), "Above.\n" + made + "By hand.\n");
  EXPECT_THAT(folder.read("pages/edf.md"),
              AllOf(HasSubstr("slack_ms"), ::testing::EndsWith("\nAlso by hand.\n")));
}

TEST(PolicyPages, FaultsAreToldAllAtOnceAndNothingIsWritten) {
  const Folder folder;
  fs::create_directory(folder.path("pages"));
  folder.tangram({"describe", "--pages", "pages"});
  folder.write("pages/fifo.md", "# fifo, all by hand\n");
  const std::string eager = folder.read("pages/eager.md");
  folder.write("pages/eager.md", eager.substr(0, eager.find("<!-- Made part ends")));
  folder.write("pages/clockwrk.md", eager);
  folder.write("pages/notes.md", "no page of a policy\n");
  fs::remove(folder.path("pages/edf.md"));
  const Outcome outcome = folder.tangram({"describe", "--pages", "pages"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err_lines(),
              ElementsAre(AllOf(HasSubstr("pages/clockwrk.md"), HasSubstr("mean \"clockwork\"?")),
                          AllOf(HasSubstr("pages/eager.md"), HasSubstr("Made part ends here")),
                          AllOf(HasSubstr("pages/fifo.md"), HasSubstr("Made by"))));
  EXPECT_FALSE(fs::exists(folder.path("pages/edf.md")));
  const Outcome nowhere = folder.tangram({"describe", "--pages", "nowhere"});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("nowhere: no such folder"));
  EXPECT_THAT(nowhere.out, IsEmpty());
}

}  // namespace
}  // namespace tangram::cli_test
