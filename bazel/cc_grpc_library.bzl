"""cc_grpc_library: the C++ stubs of the services in a proto_library."""

def _grpc_sources_impl(ctx):
    proto = ctx.attr.proto[ProtoInfo]

    # All that is generated goes below one folder per target, named by import
    # path, so that schemas moved by strip_import_prefix need no special case.
    folder = "_grpc/" + ctx.label.name
    root = ctx.bin_dir.path + "/" + "/".join([
        part
        for part in [ctx.label.workspace_root, ctx.label.package, folder]
        if part
    ])
    headers = []
    sources = []
    imports = []
    for src in proto.direct_sources:
        path = src.path
        if proto.proto_source_root != "." and path.startswith(proto.proto_source_root + "/"):
            path = path[len(proto.proto_source_root) + 1:]
        imports.append(path)
        stem = folder + "/" + path[:-len(".proto")]
        headers.append(ctx.actions.declare_file(stem + ".grpc.pb.h"))
        sources.append(ctx.actions.declare_file(stem + ".grpc.pb.cc"))

    args = ctx.actions.args()
    args.add(ctx.executable._plugin, format = "--plugin=protoc-gen-grpc=%s")
    args.add("--grpc_out=" + root)
    args.add_joined(
        "--descriptor_set_in",
        proto.transitive_descriptor_sets,
        join_with = ":",
    )
    args.add_all(imports)
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = proto.transitive_descriptor_sets,
        tools = [ctx.executable._plugin],
        outputs = headers + sources,
        mnemonic = "GenGrpc",
        progress_message = "Generating gRPC stubs of %s" % ctx.attr.proto.label,
    )
    return [
        DefaultInfo(files = depset(headers + sources)),
        OutputGroupInfo(hdrs = depset(headers), srcs = depset(sources)),
    ]

_grpc_sources = rule(
    implementation = _grpc_sources_impl,
    attrs = {
        "proto": attr.label(mandatory = True, providers = [ProtoInfo]),
        "_plugin": attr.label(
            default = "@com_github_grpc_grpc//:grpc_cpp_plugin",
            executable = True,
            allow_single_file = True,
            cfg = "exec",
        ),
        "_protoc": attr.label(
            default = "@com_google_protobuf//:protoc",
            executable = True,
            allow_single_file = True,
            cfg = "exec",
        ),
    },
)

def cc_grpc_library(name, proto, cc_proto, visibility = None, testonly = False, tags = []):
    """The C++ stubs of the services in one proto_library.

    Args:
      name: name of the cc_library.
      proto: the proto_library.
      cc_proto: its cc_proto_library.
      visibility: as for cc_library.
      testonly: as for cc_library.
      tags: as for cc_library.
    """
    stubs = "_" + name + "_sources"
    _grpc_sources(
        name = stubs,
        proto = proto,
        tags = tags,
        testonly = testonly,
    )
    for group in ["hdrs", "srcs"]:
        native.filegroup(
            name = "_" + name + "_" + group,
            srcs = [":" + stubs],
            output_group = group,
            tags = tags,
            testonly = testonly,
        )
    native.cc_library(
        name = name,
        srcs = [":_%s_srcs" % name],
        hdrs = [":_%s_hdrs" % name],
        includes = ["_grpc/" + stubs],
        tags = tags,
        testonly = testonly,
        visibility = visibility,
        deps = [
            cc_proto,
            "@com_github_grpc_grpc//:grpc++",
        ],
    )
