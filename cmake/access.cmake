# The table of access: schema/access.table -> generated/security/access_table.h, for the security module.
set(access_generated ${CMAKE_BINARY_DIR}/generated/security/access_table.h)
file(GLOB access_requests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schema/*/*_request.message)
add_custom_command(
  OUTPUT ${access_generated}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/generate_access.py ${CMAKE_SOURCE_DIR}/schema ${access_generated}
  DEPENDS ${CMAKE_SOURCE_DIR}/schema/access.table ${CMAKE_SOURCE_DIR}/schema/apis.table ${access_requests}
          ${CMAKE_SOURCE_DIR}/tools/generate_access.py
  VERBATIM)
target_sources(moldau_security PRIVATE ${access_generated})
