"""The rules every BUILD file of nsctl uses, so that flags are set in one place.

C++20 itself is set in .bazelrc: it must hold for generated code as well.
"""

load("//bazel:cc_grpc_library.bzl", _cc_grpc_library = "cc_grpc_library")

_SANITIZED = "@nsctl//bazel:sanitized"
_FUZZING = "@nsctl//bazel:fuzzing"
_THREAD_SANITIZED = "@nsctl//bazel:thread_sanitized"

cc_grpc_library = _cc_grpc_library

def _copts(copts):
    """Warnings for our own code.

    They are errors only where nsctl is the main repository: another repository
    that builds it with another compiler must not fail on a new warning.
    """
    werror = ["-Werror"] if native.repository_name() == "@" else []
    return ["-Wall", "-Wextra"] + werror + copts

def nsctl_cc_library(name, copts = [], **kwargs):
    """A cc_library with the project's warnings."""
    native.cc_library(
        name = name,
        copts = _copts(copts),
        **kwargs
    )

# Absl's own library is not instrumented: what its mutexes order is told to
# ThreadSanitizer in everything that is only for tests.
def _tsan_deps():
    return select({
        _THREAD_SANITIZED: ["@nsctl//bazel:tsan_absl_sync"],
        "//conditions:default": [],
    })

def nsctl_cc_binary(name, static = False, copts = [], linkopts = [], linkstatic = True, deps = [], testonly = None, **kwargs):
    """A cc_binary with the project's warnings.

    Args:
      name: name of the target; `<name>.stripped` is the same without symbols.
      static: link everything in, the C library included, except under a sanitizer.
      copts: added to the project's.
      linkopts: added to the project's.
      linkstatic: as for cc_binary.
      deps: as for cc_binary.
      testonly: as for cc_binary; the default is the package's.
      **kwargs: as for cc_binary.
    """
    if testonly:
        deps = deps + _tsan_deps()
    if static:
        linkopts = linkopts + select({
            _SANITIZED: [],
            "//conditions:default": ["-static"],
        })
    native.cc_binary(
        name = name,
        copts = _copts(copts),
        linkopts = linkopts,
        linkstatic = linkstatic,
        deps = deps,
        testonly = testonly,
        **kwargs
    )

def nsctl_cc_test(name, copts = [], deps = [], tags = [], size = "small", linkstatic = True, gtest_main = True, **kwargs):
    """A cc_test on GoogleTest and GoogleMock.

    Tags with a meaning here:
      kernel: makes namespaces or mounts. Runs outside Bazel's sandbox, which
          has PID, user and mount namespaces of its own.
      engines: needs a container engine on the machine. As kernel, and its
          result is never taken from the cache.
      tsan: has threads; tools/presubmit runs it under ThreadSanitizer.

    Args:
      name: name of the target.
      copts: added to the project's.
      deps: GoogleTest is added.
      tags: see above.
      size: as for cc_test.
      linkstatic: as for cc_test.
      gtest_main: link GoogleTest's main function; False if the test has one.
      **kwargs: as for cc_test.
    """
    extra_tags = []
    if "kernel" in tags or "engines" in tags:
        extra_tags.append("local")
    if "engines" in tags:
        extra_tags.append("external")
    googletest = ["@com_google_googletest//:gtest"]
    if gtest_main:
        googletest.append("@com_google_googletest//:gtest_main")
    native.cc_test(
        name = name,
        size = size,
        copts = _copts(copts),
        linkstatic = linkstatic,
        tags = tags + [tag for tag in extra_tags if tag not in tags],
        deps = deps + [dep for dep in googletest if dep not in deps] + _tsan_deps(),
        **kwargs
    )

def nsctl_proto_library(name, srcs, deps = [], cc_name = None, **kwargs):
    """A proto_library `x_proto` and its cc_proto_library `x_cc_proto`.

    Args:
      name: must end in "_proto".
      srcs: one schema file.
      deps: proto_library targets that it imports.
      cc_name: name of the cc_proto_library, if not derived from `name`.
      **kwargs: given to both: visibility, testonly, tags, deprecation.
    """
    if not name.endswith("_proto"):
        fail("%s: the name of an nsctl_proto_library ends in _proto" % name)
    native.proto_library(
        name = name,
        srcs = srcs,
        deps = deps,
        **kwargs
    )
    native.cc_proto_library(
        name = cc_name or name[:-len("_proto")] + "_cc_proto",
        deps = [":" + name],
        **kwargs
    )

def nsctl_cc_fuzz_test(name, srcs, corpus, deps = [], copts = [], linkopts = [], tags = [], size = "small", **kwargs):
    """A libFuzzer target that is also a test which replays its corpus.

    Under --config=fuzz, `bazel-bin/<package>/<name>` takes libFuzzer's options
    and corpus directories.

    Args:
      name: name of the target.
      srcs: the file that defines LLVMFuzzerTestOneInput.
      corpus: the corpus files, at least one; glob() is welcome here.
      deps: as for cc_test.
      copts: added to the project's.
      linkopts: added to the project's.
      tags: "fuzz" is added.
      size: as for cc_test.
      **kwargs: as for cc_test.
    """
    if not corpus:
        fail("%s: a fuzz test needs a corpus, if only one small file" % name)
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        args = ["$(rootpath %s)" % path for path in corpus],
        copts = _copts(copts),
        data = corpus,
        linkopts = linkopts + select({
            _FUZZING: ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        linkstatic = True,
        tags = tags + ["fuzz"],
        deps = deps + select({
            _FUZZING: [],
            "//conditions:default": ["@nsctl//bazel:fuzz_replay_main"],
        }),
        **kwargs
    )

def nsctl_cc_benchmark(name, copts = [], deps = [], tags = [], smoke_size = "small", smoke_tags = [], data = [], **kwargs):
    """A Google Benchmark binary and `<name>_smoke_test`, which runs it once.

    Args:
      name: name of the binary.
      copts: added to the project's.
      deps: Google Benchmark and its main function are added.
      tags: for both; "bench-smoke" is added to the test.
      smoke_size: size of the smoke test.
      smoke_tags: for the smoke test alone, such as "kernel".
      data: as for cc_binary.
      **kwargs: as for cc_binary.
    """
    googlebenchmark = [
        "@com_github_google_benchmark//:benchmark",
        "@com_github_google_benchmark//:benchmark_main",
    ]
    native.cc_binary(
        name = name,
        testonly = True,
        copts = _copts(copts),
        data = data,
        tags = tags,
        deps = deps + [dep for dep in googlebenchmark if dep not in deps],
        **kwargs
    )
    native.sh_test(
        name = name + "_smoke_test",
        size = smoke_size,
        srcs = ["@nsctl//bazel:run_benchmark_once.sh"],
        args = ["$(rootpath :%s)" % name],
        data = [":" + name] + data,
        tags = tags + smoke_tags + ["bench-smoke"] + (["local"] if "kernel" in smoke_tags else []),
    )
