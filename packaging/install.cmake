# What `cmake --install` lays down: the programs, the models with their licences, a systemd unit, an example
# configuration. The unit names the prefix that the installation is given, so it is written then and not before; a
# configuration that is there already stays.
include(GNUInstallDirs)

set(AIBOX_MODELS_DIR ${PROJECT_SOURCE_DIR}/build/models CACHE PATH "The verified model set that is installed")

foreach(program aiboxd aiboxctl aibox-receiver)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION bin)
  endif()
endforeach()

install(DIRECTORY ${AIBOX_MODELS_DIR}/ DESTINATION share/aibox/models)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/aibox.sysusers DESTINATION lib/sysusers.d RENAME aibox.conf)
foreach(page aiboxd.8 aiboxctl.1 aibox-receiver.1)
  get_filename_component(section ${page} LAST_EXT)
  string(SUBSTRING ${section} 1 -1 section)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/man/${page} DESTINATION share/man/man${section})
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION share/doc/aibox)

install(CODE "
  set(packaging ${PROJECT_SOURCE_DIR}/packaging)
  set(scratch ${PROJECT_BINARY_DIR}/packaging)")
install(CODE [[
  set(prefix ${CMAKE_INSTALL_PREFIX})
  set(sysconf ${prefix}/etc)
  if(prefix STREQUAL "/usr")
    set(sysconf /etc)
  endif()
  configure_file(${packaging}/aiboxd.service.in ${scratch}/aiboxd.service @ONLY)
  file(INSTALL ${scratch}/aiboxd.service DESTINATION ${prefix}/lib/systemd/system)
  if(NOT EXISTS $ENV{DESTDIR}${sysconf}/aibox/aibox.conf)
    file(INSTALL ${packaging}/aibox.conf DESTINATION ${sysconf}/aibox)
  endif()]])
