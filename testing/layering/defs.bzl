"""Tests that a layer's targets reach only the layers below it."""

load("//testing/layering:layers.bzl", "LAYERS")

def _reachable(layer):
    """The layers that `layer` may include, what those may include, and so on."""
    seen = list(LAYERS[layer])
    for _ in LAYERS:
        for below in list(seen):
            seen += [one for one in LAYERS[below] if one not in seen]
    return seen

def layer_test(layer, targets, may_see = None):
    """`<layer>_test`: everything that `targets` depend on, however far, is allowed.

    Args:
      layer: folder of the layer.
      targets: its targets on which others depend, by name or label.
      may_see: packages, to use instead of the table of layers.bzl.
    """
    labels = [t if t.startswith("//") else "//%s:%s" % (layer, t) for t in targets]
    name = layer.replace("/", "_")
    allowed = "|".join([layer] + (_reachable(layer) if may_see == None else may_see))
    everything = "deps(%s)" % " + ".join(labels)

    # build_tools holds the settings that a target selects on.
    native.genquery(
        name = name + "_query",
        testonly = True,
        expression = """filter("^//", {everything})
            except filter("^//({allowed}):", {everything})
            except filter("^//build_tools/", {everything})""".format(
            allowed = allowed,
            everything = everything,
        ),
        scope = labels,
        tags = ["manual"],
    )
    native.sh_test(
        name = name + "_test",
        size = "small",
        srcs = ["//build_tools/cc:assert_empty.sh"],
        args = [
            "$(location :%s_query)" % name,
            layer,
        ],
        data = [":%s_query" % name],
    )
