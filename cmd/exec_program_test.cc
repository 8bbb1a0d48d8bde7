#include "cmd/exec_program.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

// A directory with the files "run", which can be executed, and "text", which cannot.
std::string MakeDirectory() {
  const std::string directory = ::testing::TempDir() + "/programs";
  mkdir(directory.c_str(), 0755);
  for (const char* name : {"/run", "/text"}) std::ofstream(directory + name) << "x";
  chmod((directory + "/run").c_str(), 0755);
  chmod((directory + "/text").c_str(), 0644);
  return directory;
}

TEST(FindProgram, TakesTheFirstThatCanBeExecuted) {
  const std::string directory = MakeDirectory();
  const std::vector<std::string> environment = {"X=y", "PATH=/nosuch:" + directory};

  EXPECT_EQ(FindProgram("run", environment).path, directory + "/run");
  EXPECT_EQ(FindProgram("run", environment).error, 0);
  EXPECT_EQ(FindProgram(directory + "/run", {}).error, 0);
  EXPECT_EQ(FindProgram("sh", {}).path, "/bin/sh");
}

TEST(FindProgram, SaysWhyThereIsNone) {
  const std::vector<std::string> environment = {"PATH=/nosuch:" + MakeDirectory()};

  EXPECT_EQ(FindProgram("text", environment).error, EACCES);
  EXPECT_EQ(FindProgram("nosuch", environment).error, ENOENT);
  EXPECT_EQ(FindProgram("", environment).error, ENOENT);
  EXPECT_EQ(FindProgram("/", environment).error, EACCES);
  EXPECT_TRUE(IsNotFound(ENOTDIR));
  EXPECT_FALSE(IsNotFound(EACCES));
}

}  // namespace
}  // namespace nsctl::cmd
