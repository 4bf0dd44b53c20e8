"""Finds a compiler on this machine: the first one that is new enough, in a fixed order."""

def _at_least(version, minimum):
    """Compares dotted versions; "1.23rc1" counts as 1.23."""
    have = []
    for part in version.split(".")[:2]:
        digits = ""
        for i in range(len(part)):
            if not part[i].isdigit():
                break
            digits += part[i]
        have.append(int(digits or "0"))
    return have >= minimum

def find_host_tool(ctx, variable, name, places, version_of, minimum):
    """Returns struct(path, version) of the first candidate that is new enough, else None.

    Args:
      ctx: the repository's context.
      variable: environment variable that names the tool. If that tool cannot be used, it is
        an error: an explicit choice is never replaced.
      name: the program to look for on PATH.
      places: further absolute paths, in order.
      version_of: function of (ctx, path) that returns the version, or None.
      minimum: the minimum version, [major, minor].
    """
    explicit = ctx.os.environ.get(variable)
    if explicit:
        version = version_of(ctx, explicit)
        if not version or not _at_least(version, minimum):
            message = "\n{variable}={path} is not {name} {minimum} or newer (found: {found})."
            fail(message.format(
                found = version,
                minimum = ".".join([str(n) for n in minimum]),
                name = name,
                path = explicit,
                variable = variable,
            ))
        return struct(path = explicit, version = version)

    on_path = ctx.which(name)
    for path in ([str(on_path)] if on_path else []) + places:
        if not ctx.path(path).exists:
            continue
        version = version_of(ctx, path)
        if version and _at_least(version, minimum):
            return struct(path = path, version = version)
    return None

def cache_folder(ctx):
    """The folder of compilers that build_tools/install downloads."""
    base = ctx.os.environ.get("XDG_CACHE_HOME") or ctx.os.environ.get("HOME", "/root") + "/.cache"
    return base + "/mooring"
