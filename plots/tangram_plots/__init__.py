"""Figures and reports from Tangram's result files."""
