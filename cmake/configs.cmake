# The tables of configuration keys: schema/configs -> generated/metadata/config/generated_tables.h, for the metadata module.
set(configs_generated ${CMAKE_BINARY_DIR}/generated/metadata/config/generated_tables.h)
file(GLOB configs_schema CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schema/configs/*)
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
add_custom_command(
  OUTPUT ${configs_generated}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/generate_configs.py tables ${CMAKE_SOURCE_DIR}/schema/configs ${configs_generated}
  DEPENDS ${configs_schema} ${CMAKE_SOURCE_DIR}/tools/generate_configs.py
  VERBATIM)
target_sources(moldau_metadata PRIVATE ${configs_generated})
