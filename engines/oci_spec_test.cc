#include "engines/oci_spec.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "engines/container.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

TEST(OciSpec, HasAnnotationsAndTheCgroup) {
  const OciSpec spec = ReadOciSpec(
      R"({"ociVersion":"1.0.2-dev","hostname":"a","annotations":{"b":"2","a":"1","n":3},)"
      R"("linux":{"cgroupsPath":"/kubepods/burstable/podu1/c1","namespaces":[]}})");

  ASSERT_EQ(spec.annotations.size(), 2);
  EXPECT_EQ(spec.annotations[0].name(), "a");
  EXPECT_EQ(*FindLabel(spec.annotations, "b"), "2");
  EXPECT_EQ(spec.cgroup, "/kubepods/burstable/podu1/c1");
}

TEST(OciSpec, IsEmptyWhereNothingIsSaid) {
  for (const char* text :
       {"", "\xff", "null", "[]", "{}", R"({"annotations":null,"linux":{"cgroupsPath":1}})",
        R"({"annotations":[],"linux":[]})"}) {
    const OciSpec spec = ReadOciSpec(text);
    EXPECT_EQ(spec.annotations.size(), 0) << text;
    EXPECT_EQ(spec.cgroup, "") << text;
  }
}

TEST(OciSpec, KnowsWhereSystemdMakesACgroup) {
  struct Case {
    const char* name;
    const char* cgroups_path;
    const char* cgroup;
  };
  for (const Case& c : {
           Case{"an absolute path", "/default/web", "/default/web"},
           Case{"a scope", "system.slice:docker:0123", "/system.slice/docker-0123.scope"},
           Case{"nested slices", "kubepods-besteffort-podu1.slice:cri-containerd:0123",
                "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podu1.slice/"
                "cri-containerd-0123.scope"},
           Case{"no slice", ":runc:0123", "/system.slice/runc-0123.scope"},
           Case{"the root slice", "-.slice:runc:0123", "/runc-0123.scope"},
           Case{"no prefix", "user.slice::0123", "/user.slice/0123.scope"},
           Case{"a slice of its own", "machine.slice::machine-a.slice",
                "/machine.slice/machine-a.slice"},
           Case{"a relative path", "default/web", ""},
           Case{"nothing", "", ""},
           Case{"too few parts", "a:b", ""},
           Case{"too many parts", "a:b:c:d", ""},
           Case{"no name", "a.slice:b:", ""},
       }) {
    EXPECT_EQ(CgroupOf(c.cgroups_path), c.cgroup) << c.name;
  }
  EXPECT_EQ(CgroupOf(absl::StrCat(std::string(1'000'000, '-'), ".slice:a:b")), "");
}

}  // namespace
}  // namespace nsctl::engines
