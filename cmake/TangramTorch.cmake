# Finds LibTorch where TANGRAM_TORCH asks for it; sets TANGRAM_HAS_TORCH.
set(TANGRAM_TORCH AUTO CACHE STRING "The engine's runner for TorchScript models: AUTO, ON or OFF")
set_property(CACHE TANGRAM_TORCH PROPERTY STRINGS AUTO ON OFF)
# Our headers need 20; LibTorch accepts it from 1.13 (g++) and demands it from 2.13.
set(TANGRAM_TORCH_CXX_STANDARD 20 CACHE STRING "C++ standard of what includes LibTorch")

set(TANGRAM_HAS_TORCH OFF)
if(TANGRAM_TORCH STREQUAL "ON")
  find_package(Torch REQUIRED)
  set(TANGRAM_HAS_TORCH ON)
elseif(TANGRAM_TORCH STREQUAL "AUTO")
  # The headers of LibTorch 1.13 do not compile as C++20 with clang 14.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
    message(STATUS "Runner torch: left out with clang ${CMAKE_CXX_COMPILER_VERSION}")
  else()
    find_package(Torch QUIET)
    set(TANGRAM_HAS_TORCH ${Torch_FOUND})
    if(TANGRAM_HAS_TORCH)
      message(STATUS "Runner torch: LibTorch ${Torch_VERSION}")
    else()
      message(STATUS "Runner torch: left out, LibTorch was not found")
    endif()
  endif()
endif()
