// tangram describe TRACE_FILE: what a recording of arrivals looks like.
#pragma once

#include <string>

namespace tangram::cli {

struct TraceArguments {
  std::string path;
  std::string format;   // "": guessed from the file's first line
  std::string dataset;  // of an HDF5 file
  std::string plot;     // SVG to write; "": none
  bool json = false;
};

// Prints statistics as text of at most 100 columns or as JSON, and writes the plot. Returns the
// exit code. Throws ConfigError for a file that cannot be read.
int describe_trace_file(const TraceArguments& arguments);

}  // namespace tangram::cli
