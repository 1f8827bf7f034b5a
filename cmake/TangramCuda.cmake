# What there is of CUDA. Headers are enough for the library tangram_cuda, which loads the driver at run
# time; a compiler is needed for the kernels of the runner "kernels".
#
# Sets TANGRAM_CUDA_INCLUDE (empty: nothing of CUDA is built), TANGRAM_NVCC (empty: no kernels) and
# TANGRAM_CUPTI_INCLUDE (empty: no kernel lists).
set(TANGRAM_CUDA_INCLUDE "")
set(TANGRAM_NVCC "")
set(TANGRAM_CUPTI_INCLUDE "")
if(NOT TANGRAM_CUDA STREQUAL "OFF")
  # Green contexts have streams of their own since 12.5.
  find_package(CUDAToolkit 12.5 QUIET)
  if(CUDAToolkit_FOUND)
    list(GET CUDAToolkit_INCLUDE_DIRS 0 TANGRAM_CUDA_INCLUDE)
    set(TANGRAM_NVCC "${CUDAToolkit_NVCC_EXECUTABLE}")
    find_path(tangram_cupti_path cupti.h HINTS ${CUDAToolkit_INCLUDE_DIRS}
              PATHS "${TANGRAM_CUDA_INCLUDE}/../extras/CUPTI/include" NO_DEFAULT_PATH)
    if(tangram_cupti_path)
      set(TANGRAM_CUPTI_INCLUDE "${tangram_cupti_path}")
    endif()
    message(STATUS "CUDA ${CUDAToolkit_VERSION}: ${TANGRAM_CUDA_INCLUDE}")
  elseif(TANGRAM_CUDA STREQUAL "ON")
    message(FATAL_ERROR "TANGRAM_CUDA is ON, but no CUDA toolkit of version 12.5 or later was found")
  else()
    message(STATUS "No CUDA toolkit of version 12.5 or later: the CUDA backends are left out")
  endif()
endif()
set(TANGRAM_CUDA_ARCHITECTURES "80;90;100" CACHE STRING
                                              "Compute capabilities that kernels are compiled for")

# tangram_embed_kernels(TARGET SOURCE) compiles SOURCE for each of TANGRAM_CUDA_ARCHITECTURES, and as
# PTX of the oldest for all that come later, and adds the result to TARGET as an array. Without a
# compiler the array is empty.
function(tangram_embed_kernels target source)
  set(image "")
  if(TANGRAM_NVCC)
    set(image "${CMAKE_CURRENT_BINARY_DIR}/kernels.fatbin")
    list(GET TANGRAM_CUDA_ARCHITECTURES 0 oldest)
    set(architectures "-gencode=arch=compute_${oldest},code=compute_${oldest}")
    foreach(number IN LISTS TANGRAM_CUDA_ARCHITECTURES)
      list(APPEND architectures "-gencode=arch=compute_${number},code=sm_${number}")
    endforeach()
    add_custom_command(
      OUTPUT "${image}"
      COMMAND "${TANGRAM_NVCC}" -fatbin -std=c++17 -O3 ${architectures} -o "${image}" "${source}"
      DEPENDS "${source}"
      VERBATIM)
  endif()
  set(script "${PROJECT_SOURCE_DIR}/cmake/EmbedFile.cmake")
  set(array "${CMAKE_CURRENT_BINARY_DIR}/kernel_image.cpp")
  add_custom_command(
    OUTPUT "${array}"
    COMMAND "${CMAKE_COMMAND}" -D "INPUT=${image}" -D "OUTPUT=${array}" -P "${script}"
    DEPENDS ${image} "${script}"
    VERBATIM)
  target_sources(${target} PRIVATE "${array}")
  # By itself: it can be large, and includes nothing.
  set_source_files_properties("${array}" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
