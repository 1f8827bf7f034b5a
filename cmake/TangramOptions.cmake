# Warnings and the numeric flags that keep results bit-identical between builds.
add_library(tangram_warnings INTERFACE)
target_compile_options(
  tangram_warnings
  INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
            # False alarms of g++ 12: inside fmt::join at -O3, for "text" + std::string (GCC PR105651),
            # and for std::optional and std::variant in the sanitizers' Debug builds.
            $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
            $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Debug>>:-Wno-maybe-uninitialized>)

# A fused multiply-add rounds once where the source rounds twice: forbid it, in every target.
# The SLP vectoriser keeps generator state in vector registers and breaks store forwarding: an
# exponential sample costs three times as much (docs/model/event-core.md).
add_library(tangram_numerics INTERFACE)
target_compile_options(
  tangram_numerics INTERFACE -ffp-contract=off
                             $<$<CXX_COMPILER_ID:GNU>:-fno-tree-slp-vectorize>)

# Files of a target are compiled together, eight at a time: what they instantiate in common, most of
# the compile time, is then instantiated once. Names in unnamed namespaces are therefore unique within
# a target, all of its files together, so that a new file never moves two others into a clash. A build
# without it (the preset "fuzz") shows that each file of the product compiles alone.
option(TANGRAM_UNITY "Compile the files of a target together, eight at a time" ON)

# Joins the files of a target, but those with the property SKIP_UNITY_BUILD_INCLUSION.
function(tangram_join_files target)
  if(TANGRAM_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# Declares the library of one folder: tangram_library(NAME SOURCES ... HEADERS ... LINKS ...).
function(tangram_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES
                                ${ARG_HEADERS})
  target_link_libraries(${name} PUBLIC tangram_numerics ${ARG_LINKS} PRIVATE tangram_warnings)
  target_precompile_headers(${name} REUSE_FROM tangram_common_headers)
  tangram_join_files(${name})
  set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()
