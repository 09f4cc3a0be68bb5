# What is installed: the libraries as components with their public headers, and the daemon as a program.
#
#   find_package(opp2p COMPONENTS libp2p lmdb opstack testing)     opp2pConfig.cmake.in; targets opp2p::libp2p, opp2p::lmdb, …
#   pkg-config --static opp2p-libp2p opp2p-lmdb opp2p-opstack opp2p-testing
#   cmake --install build --component libp2p|lmdb|opstack|testing|program     one of them; without --component, all
#
# public_headers.txt lists the headers. tests/e2e/test_headers.py and test_library.py compare this with what is installed.
include(CMakePackageConfigHelpers)
set(OPP2P_CONFIG_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/opp2p)
set(OPP2P_HEADER_FOLDER ${CMAKE_INSTALL_INCLUDEDIR}/opp2p)
file(RELATIVE_PATH OPP2P_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)

# opp2p_install_component(NAME DESCRIPTION [NEEDS component…] [REQUIRES_PRIVATE pkg-config module…] [LIBS_PRIVATE flag…])
function(opp2p_install_component name description)
  cmake_parse_arguments(ARG "" "" "NEEDS;REQUIRES_PRIVATE;LIBS_PRIVATE" ${ARGN})
  install(TARGETS opp2p_${name} EXPORT opp2p-${name} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${name})
  install(EXPORT opp2p-${name} NAMESPACE opp2p:: DESTINATION ${OPP2P_CONFIG_FOLDER} COMPONENT ${name})

  set(PC_NAME ${name})
  set(PC_DESCRIPTION ${description})
  list(TRANSFORM ARG_NEEDS REPLACE "(.+)" "opp2p-\\1 = ${PROJECT_VERSION}" OUTPUT_VARIABLE PC_REQUIRES)
  list(JOIN PC_REQUIRES ", " PC_REQUIRES)
  list(JOIN ARG_REQUIRES_PRIVATE ", " PC_REQUIRES_PRIVATE)
  list(JOIN ARG_LIBS_PRIVATE " " PC_LIBS_PRIVATE)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/component.pc.in ${CMAKE_CURRENT_BINARY_DIR}/opp2p-${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/opp2p-${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${name})
endfunction()

opp2p_install_component(libp2p "libp2p in C++20: hosts, streams, transports, security, muxers, GossipSub"
  REQUIRES_PRIVATE "libssl >= 3.0" "libcrypto >= 3.0" libsecp256k1 libsodium libcares LIBS_PRIVATE -pthread)
if(TARGET opp2p_lmdb)
  opp2p_install_component(lmdb "A datastore for opp2p-libp2p in LMDB: what a host remembers on a disk" NEEDS libp2p REQUIRES_PRIVATE lmdb)
endif()
opp2p_install_component(opstack "The OP Stack's payloads, block rules, block gossip and sync"
  NEEDS libp2p LIBS_PRIVATE -lsnappy -lboost_json)
opp2p_install_component(testing "Simulated hosts on a virtual clock, for tests of what is built on opp2p-libp2p" NEEDS libp2p)

# The component of a header follows from its folder.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/public_headers.txt)
file(STRINGS ${PROJECT_SOURCE_DIR}/cmake/public_headers.txt headers REGEX "^[^#]")
set(public_headers "")
foreach(line IN LISTS headers)
  file(GLOB found CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/src/${line})
  if(NOT found)
    message(WARNING "cmake/public_headers.txt lists ${line}, which is not in src/: take the line out, or name where it is now")
  endif()
  list(APPEND public_headers ${found})
endforeach()
if(NOT TARGET opp2p_lmdb)
  list(FILTER public_headers EXCLUDE REGEX "^libp2p/storage/lmdb/")
endif()
foreach(header IN LISTS public_headers)
  if(header MATCHES "^libp2p/(testing|runtime/sim)/")
    set(component testing)
  elseif(header MATCHES "^libp2p/storage/lmdb/")
    set(component lmdb)
  else()
    string(REGEX REPLACE "/.*" "" component ${header})
  endif()
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${PROJECT_SOURCE_DIR}/src/${header} DESTINATION ${OPP2P_HEADER_FOLDER}/${folder} COMPONENT ${component})
endforeach()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/opp2pConfig.cmake.in opp2pConfig.cmake
  INSTALL_DESTINATION ${OPP2P_CONFIG_FOLDER} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(opp2pConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/opp2pConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/opp2pConfigVersion.cmake
  DESTINATION ${OPP2P_CONFIG_FOLDER} COMPONENT libp2p)

if(TARGET opp2p)
  install(TARGETS opp2p RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()
