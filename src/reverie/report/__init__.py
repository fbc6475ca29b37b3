"""Run folders in: a page about each (`page`), or groups of them side by side (`compare`)."""
