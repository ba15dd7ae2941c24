# SPDX-License-Identifier: GPL-2.0
"""How Sphinx makes these pages: `make htmldocs`."""

import pathlib
import re

_rows = pathlib.Path(__file__).parents[1] / "rust" / "rows.rs"

project = "reclaimwb"
author = "The reclaimwb founders"
release = re.search(r'^const VERSION: &str = "(.*)";$', _rows.read_text(), re.M)[1]

extensions = []
html_theme = "alabaster"
html_theme_options = {"page_width": "70em", "sidebar_width": "15em", "description": f"version {release}"}
html_copy_source = False
html_show_copyright = False
# What people copy from these pages must work: no curly quotes, no dashes for "--".
smartquotes = False
