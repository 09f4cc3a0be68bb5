# find_package(opp2p) gives opp2p::libp2p, opp2p::opstack and opp2p::testing.
include(CMakePackageConfigHelpers)
install(TARGETS opp2p_libp2p opp2p_opstack opp2p_testing opp2p_snappy EXPORT opp2pTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT opp2pTargets NAMESPACE opp2p:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/opp2p)
install(DIRECTORY src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/opp2p FILES_MATCHING PATTERN "*.hpp"
  PATTERN "*_test*.hpp" EXCLUDE PATTERN "*_fixture.hpp" EXCLUDE)
install(TARGETS opp2p RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
configure_package_config_file(cmake/opp2pConfig.cmake.in opp2pConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/opp2p)
write_basic_package_version_file(opp2pConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/opp2pConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/opp2pConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/opp2p)
