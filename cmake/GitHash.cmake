# Compiles the commit that is being built into a source file. Asked at every build, so that a new
# commit needs no new configuration; the file is only touched when its content changes.
#
# Included: tangram_git_hash(TARGET INPUT OUTPUT) adds the source OUTPUT, made from INPUT.
# Run by `cmake -P`: makes it, with -D SOURCE_DIR, INPUT, OUTPUT, TANGRAM_VERSION.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(tangram_git_hash_script "${CMAKE_CURRENT_LIST_FILE}")
  function(tangram_git_hash target input output)
    add_custom_target(
      ${target}_git_hash
      COMMAND
        "${CMAKE_COMMAND}" -D "SOURCE_DIR=${PROJECT_SOURCE_DIR}" -D "INPUT=${input}" -D
        "OUTPUT=${output}" -D "TANGRAM_VERSION=${PROJECT_VERSION}" -P "${tangram_git_hash_script}"
      BYPRODUCTS "${output}"
      VERBATIM)
    target_sources(${target} PRIVATE "${output}")
    # By itself: it changes with every commit.
    set_source_files_properties("${output}" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    add_dependencies(${target} ${target}_git_hash)
  endfunction()
  return()
endif()

# An archive of the sources (scripts/bundle.sh) says which commit it is.
set(TANGRAM_GIT_HASH "unknown")
if(EXISTS "${SOURCE_DIR}/COMMIT")
  file(READ "${SOURCE_DIR}/COMMIT" TANGRAM_GIT_HASH)
  string(STRIP "${TANGRAM_GIT_HASH}" TANGRAM_GIT_HASH)
endif()
find_program(git_program git)
if(git_program AND NOT EXISTS "${SOURCE_DIR}/COMMIT")
  execute_process(
    COMMAND "${git_program}" -C "${SOURCE_DIR}" describe --always --abbrev=12 --exclude=* --dirty
    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE failed ERROR_QUIET)
  if(NOT failed AND described)
    set(TANGRAM_GIT_HASH "${described}")
  endif()
endif()
configure_file("${INPUT}" "${OUTPUT}" @ONLY)
