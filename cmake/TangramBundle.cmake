# The libraries of a bundle (scripts/bundle.sh) in place of the distribution's packages: for machines
# without a network. TANGRAM_BUNDLE is the bundle's deps folder: include/, lib/, googletest/.
if(NOT EXISTS "${TANGRAM_BUNDLE}/include/nlohmann/json.hpp")
  message(FATAL_ERROR "TANGRAM_BUNDLE=${TANGRAM_BUNDLE} is not the deps folder of a bundle: it has no "
                      "include/nlohmann/json.hpp")
endif()

# tangram_bundled(TARGET [LIBRARY...]) makes an imported target of the bundle's headers.
function(tangram_bundled target)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE "${TANGRAM_BUNDLE}/include")
  target_link_libraries(${target} INTERFACE ${ARGN})
endfunction()

tangram_bundled(nlohmann_json::nlohmann_json)
tangram_bundled(CLI11::CLI11)
tangram_bundled(Boost::headers)
tangram_bundled(fmt::fmt)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
tangram_bundled(
  hdf5::hdf5 "${TANGRAM_BUNDLE}/lib/libhdf5.a" "${TANGRAM_BUNDLE}/lib/libsz.a"
  "${TANGRAM_BUNDLE}/lib/libaec.a" "${TANGRAM_BUNDLE}/lib/libz.a" ${CMAKE_DL_LIBS} m Threads::Threads)
target_include_directories(hdf5::hdf5 SYSTEM INTERFACE "${TANGRAM_BUNDLE}/include/hdf5")
# Not in every bundle: only the planners that solve integer programs need it, and say so without it.
set(TANGRAM_CBC_LIBRARY "")
if(EXISTS "${TANGRAM_BUNDLE}/lib/libCbcSolver.a")
  set(TANGRAM_CBC_LIBRARY tangram_bundled_cbc)
  set(TANGRAM_CBC_INCLUDE "${TANGRAM_BUNDLE}/include")
  set(cbc_archives CbcSolver Cbc Cgl OsiClp Clp Osi CoinUtils bz2 z cbclapack)
  list(TRANSFORM cbc_archives REPLACE "(.+)" "${TANGRAM_BUNDLE}/lib/lib\\1.a")
  tangram_bundled(tangram_bundled_cbc ${cbc_archives} m)
endif()
if(TANGRAM_TESTS)
  set(INSTALL_GTEST OFF)
  add_subdirectory("${TANGRAM_BUNDLE}/googletest" "${CMAKE_BINARY_DIR}/googletest" EXCLUDE_FROM_ALL)
  add_library(GTest::gmock ALIAS gmock)
  add_library(GTest::gtest_main ALIAS gtest_main)
endif()
