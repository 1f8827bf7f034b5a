# Everything comes from the distribution; scripts/install_dependencies.sh installs it.
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(fmt 8 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)
if(TANGRAM_TESTS)
  find_package(GTest REQUIRED)
  # The distribution's Python modules exist only for the distribution's own interpreter, which need
  # not be the first in PATH.
  if(NOT Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
    set(Python3_EXECUTABLE /usr/bin/python3)
  endif()
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()
if(TANGRAM_BENCH)
  find_package(benchmark REQUIRED)
endif()
