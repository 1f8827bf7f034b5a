# Standard and library headers parsed once per build instead of once per file: a fifth of the compile
# time. No header of the project is in here, so nothing more is rebuilt when one changes. A build
# without it (the preset "fuzz") shows that each file of the product includes what it uses.
option(TANGRAM_PRECOMPILED "Precompile the headers of the standard library and of GoogleTest" ON)
if(TANGRAM_PRECOMPILED)
  # More false alarms of g++ 12 for std::string (GCC PR105651), which forgets that these headers are
  # the system's.
  target_compile_options(tangram_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
                                                    $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>)
else()
  set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
endif()

# tangram_precompiled(NAME LINKS target ... HEADERS <header> ...) declares headers that targets take
# with target_precompile_headers(TARGET REUSE_FROM NAME).
function(tangram_precompiled name)
  cmake_parse_arguments(ARG "" "" "LINKS;HEADERS" ${ARGN})
  file(CONFIGURE OUTPUT "${name}.cpp" CONTENT "// Only its precompiled headers matter.\n")
  add_library(${name} OBJECT "${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp")
  target_link_libraries(${name} PRIVATE tangram_warnings tangram_numerics ${ARG_LINKS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

set(common_headers <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <map> <memory> <optional> <set>
                   <span> <string> <string_view> <utility> <vector>)
tangram_precompiled(tangram_common_headers HEADERS ${common_headers})
if(TANGRAM_TESTS)
  # The tests' own code is compiled for speed of compilation: what takes time is in the libraries.
  add_library(tangram_test_options INTERFACE)
  target_compile_options(tangram_test_options INTERFACE $<$<CONFIG:Release>:-O1>)
  tangram_precompiled(tangram_test_headers LINKS tangram_test_options GTest::gtest_main GTest::gmock HEADERS ${common_headers}
                      <gmock/gmock.h> <gtest/gtest.h>)
endif()
