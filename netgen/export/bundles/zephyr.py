"""A module for Zephyr: a library behind a Kconfig option, and a sample."""

from __future__ import annotations

from netgen.export.bundles.content import SOURCES, Bundle, Files

_BUILD = """
This folder is a module of Zephyr. Add it to the `projects` of your west manifest, or name it in
`EXTRA_ZEPHYR_MODULES`:

```sh
west build -b BOARD samples/classify -- -DEXTRA_ZEPHYR_MODULES=$PWD
```

`CONFIG_{option}=y` compiles the model.
"""


def zephyr_files(bundle: Bundle) -> Files:
    """module.yml, CMakeLists.txt, Kconfig, a manifest for west, sources and a sample."""
    option = f"NETGEN_{bundle.name.upper()}"
    texts = {
        "zephyr/module.yml": "module.yml",
        "CMakeLists.txt": "CMakeLists.txt",
        "Kconfig": "Kconfig",
        "west.yml": "west.yml",
        "samples/classify/CMakeLists.txt": "sample_CMakeLists.txt",
        "samples/classify/prj.conf": "prj.conf",
        "samples/classify/sample.yaml": "sample.yaml",
    }
    return {
        **bundle.under(SOURCES),
        **{path: bundle.text(f"zephyr/{name}.j2", option=option) for path, name in texts.items()},
        "samples/classify/src/main.c": bundle.example(),
        **bundle.page(_BUILD.format(option=option)),
    }
