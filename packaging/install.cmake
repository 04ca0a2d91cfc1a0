# What `cmake --install` lays down: the programs, the models with their licences, the unit, the example configuration.
include(GNUInstallDirs)

set(AIBOX_MODELS_DIR ${PROJECT_SOURCE_DIR}/build/models CACHE PATH "The verified model set that is installed")

foreach(program aiboxd aiboxctl aibox-receiver)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

install(DIRECTORY ${AIBOX_MODELS_DIR}/ DESTINATION ${CMAKE_INSTALL_DATADIR}/aibox/models)

set(unit ${PROJECT_BINARY_DIR}/packaging/aiboxd.service)
configure_file(${PROJECT_SOURCE_DIR}/packaging/aiboxd.service.in ${unit} @ONLY)
install(FILES ${unit} DESTINATION lib/systemd/system)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/aibox.sysusers DESTINATION lib/sysusers.d RENAME aibox.conf)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/aibox.conf DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
