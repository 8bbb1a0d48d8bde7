"""All repositories that nsctl needs, made from what Debian installs.

Nothing is downloaded. Each library stands under the label that its upstream
project uses, so that going over to source archives changes this file alone.
"""

load("//third_party:system_repository.bzl", "system_repository")
load("//third_party/systemlibs:absl_packages.bzl", "ABSL_PACKAGES")

def _maybe(rule, name, **kwargs):
    """Declares a repository unless the caller's WORKSPACE already has it."""
    if name not in native.existing_rules():
        rule(name = name, **kwargs)

def _bazel_rules():
    """Rule sets that Bazel 4 wants to see even where only C++ is built."""
    for name, path in {
        "bazel_skylib": "/usr/share/bazel/tools/skylib",
        "platforms": "/usr/share/bazel/tools/platforms",
        "rules_java": "/usr/share/bazel/rules/java",
        "rules_proto": "/usr/share/bazel/rules/proto",
    }.items():
        _maybe(native.local_repository, name = name, path = path)

    # Debian's rules_cc does not load under Debian's Bazel.
    _maybe(
        system_repository,
        name = "rules_cc",
        files = {
            Label("//third_party:rules_cc.BUILD"): "cc/BUILD.bazel",
            Label("//third_party:rules_cc.defs.bzl"): "cc/defs.bzl",
        },
    )

    # Every cc_test depends on it, although nothing of it runs.
    _maybe(
        system_repository,
        name = "remote_coverage_tools",
        files = {Label("//third_party:remote_coverage_tools.BUILD"): "BUILD.bazel"},
    )

def _libraries():
    _maybe(
        system_repository,
        name = "nsctl_pkgconfig",
        files = {Label("//third_party/systemlibs:pkgconfig.BUILD"): "BUILD.bazel"},
    )
    _maybe(
        system_repository,
        name = "com_google_absl",
        files = {
            Label("//third_party/systemlibs:absl.%s.BUILD" % package): "absl/%s/BUILD.bazel" % package
            for package in ABSL_PACKAGES
        },
    )
    _maybe(
        system_repository,
        name = "com_google_protobuf",
        files = {Label("//third_party:protobuf.BUILD"): "BUILD.bazel"},
        system_files = dict(
            {
                "/usr/include/google/protobuf/%s.proto" % name: "google/protobuf/%s.proto" % name
                for name in [
                    "any",
                    "api",
                    "descriptor",
                    "duration",
                    "empty",
                    "field_mask",
                    "source_context",
                    "struct",
                    "timestamp",
                    "type",
                    "wrappers",
                ]
            },
            **{"/usr/bin/protoc": "protoc"}
        ),
    )
    _maybe(
        system_repository,
        name = "com_github_grpc_grpc",
        files = {Label("//third_party:grpc.BUILD"): "BUILD.bazel"},
        system_files = {"/usr/bin/grpc_cpp_plugin": "grpc_cpp_plugin"},
    )
    for name, build_file in {
        "com_github_cliutils_cli11": "cli11",
        "com_github_google_benchmark": "benchmark",
        "com_github_nlohmann_json": "json",
        "com_github_util_linux": "util_linux",
        "com_google_googletest": "googletest",
    }.items():
        _maybe(
            system_repository,
            name = name,
            files = {Label("//third_party:%s.BUILD" % build_file): "BUILD.bazel"},
        )

def nsctl_repositories():
    """Declares every repository that nsctl's targets need."""
    _bazel_rules()
    _libraries()
