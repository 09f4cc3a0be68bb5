# Writes OUT with the VERSION and the commit of the repository in SOURCE_DIR, and leaves it alone when it says so already.
# A repository further up, which this source was copied into, says nothing about it.
set(version ${VERSION})
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} rev-parse --show-toplevel
    OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  get_filename_component(source ${SOURCE_DIR} REALPATH)
  if(NOT failed AND top STREQUAL source)
    execute_process(COMMAND ${GIT} --no-optional-locks -C ${SOURCE_DIR} describe --always --dirty --abbrev=8 --exclude=*
      OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed AND commit)
      string(APPEND version "-${commit}")
    endif()
  endif()
endif()
set(text "#include \"version.hpp\"\n\nnamespace opp2p {\n\nstd::string program_version() { return \"${version}\"; }\n\n}  // namespace opp2p\n")
set(before "")
if(EXISTS ${OUT})
  file(READ ${OUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
