"""One module per kind of figure; the table of all figures is in tangram_plots/catalogue.py."""
