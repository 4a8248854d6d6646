"""How Sphinx builds the documentation: `make docs`."""

import sys
from pathlib import Path

import simcom_mqtt

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "simcom-mqtt"
author = "the simcom-mqtt authors"
project_copyright = author
release = version = simcom_mqtt.__version__

extensions = ["sphinx.ext.autodoc", "myst_parser", "sphinx_copybutton", "native_docstrings", "result_codes"]
exclude_patterns = ["extensions"]
html_theme = "furo"
html_title = f"simcom-mqtt {release}"
html_static_path = ["static"]
html_css_files = ["layout.css"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80

# The standard library's own documentation is on another site.
nitpick_ignore_regex = [
    ("py:class", r"(_asyncio|collections\.abc|concurrent\.futures|datetime|os|pathlib|types|typing)\..*"),
    ("py:class", r"(Any|Callable|datetime|Future|IntEnum|Iterator|Literal|PathLike|Self|TracebackType)"),
    ("py:(class|exc)", r"\w*(Error|Warning|Exception)"),
]
