"""A component of ESP-IDF, with an example project."""

from __future__ import annotations

from netgen.export.bundles.content import SOURCES, Bundle, Files

_BUILD = """
This folder is a component of ESP-IDF 5. Put it into the `components` of a project, or build the
example:

```sh
cd examples/classify && idf.py set-target esp32s3 && idf.py build flash monitor
```
"""
_PROJECT = "examples/classify"


def esp_idf_files(bundle: Bundle) -> Files:
    """CMakeLists.txt, idf_component.yml, sources, and an example project."""
    texts = {
        "CMakeLists.txt": "CMakeLists.txt",
        "idf_component.yml": "idf_component.yml",
        f"{_PROJECT}/CMakeLists.txt": "project_CMakeLists.txt",
        f"{_PROJECT}/main/CMakeLists.txt": "main_CMakeLists.txt",
        f"{_PROJECT}/main/idf_component.yml": "main_idf_component.yml",
    }
    return {
        **bundle.under(SOURCES),
        **{path: bundle.text(f"esp_idf/{name}.j2") for path, name in texts.items()},
        f"{_PROJECT}/main/main.c": bundle.example("void app_main(void);\nvoid app_main(void)"),
        **bundle.page(_BUILD),
    }
