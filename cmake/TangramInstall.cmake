# cmake --install build/release --prefix P: the commands side by side in P/bin, which is how they find
# each other; what they read in P/share/tangram, which they look for relative to themselves, so that
# P can be moved.
include(GNUInstallDirs)
set(programs tangram tangram-engine tangram-worker)
foreach(program tangram-worker-torch tangram-gpu-bench)
  if(TARGET ${program})
    list(APPEND programs ${program})
    # LibTorch and the CUDA runtime need not be where the system looks.
    set_target_properties(${program} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  endif()
endforeach()
install(TARGETS ${programs} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
set(shared "${CMAKE_INSTALL_DATAROOTDIR}/tangram")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/profiles/data/" DESTINATION "${shared}/profiles")
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/plots/tangram_plots"
  DESTINATION "${shared}/plots"
  PATTERN "__pycache__" EXCLUDE)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/scenarios/quickstart" DESTINATION "${shared}/scenarios")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}")
