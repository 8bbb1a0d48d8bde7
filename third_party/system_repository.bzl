"""A repository made of links to BUILD files of nsctl and to installed files."""

def _system_repository_impl(ctx):
    ctx.file("WORKSPACE", 'workspace(name = "%s")\n' % ctx.name)

    # The labels are resolved where this file lives, so the links are right
    # when another repository calls nsctl_repositories() as well. A label given
    # to symlink() is watched: a changed BUILD file is seen by the next build.
    for label, path in ctx.attr.files.items():
        ctx.symlink(label, path)
    for installed, path in ctx.attr.system_files.items():
        if not ctx.path(installed).exists:
            fail("%s is missing: the package list is in tools/packages.txt" % installed)
        ctx.symlink(installed, path)

system_repository = repository_rule(
    implementation = _system_repository_impl,
    attrs = {
        "files": attr.label_keyed_string_dict(
            mandatory = True,
            doc = "Files of nsctl, and where each stands in the repository.",
        ),
        "system_files": attr.string_dict(
            doc = "Installed files, and where each stands in the repository.",
        ),
    },
    local = True,
    doc = "Installed libraries under their upstream labels.",
)
