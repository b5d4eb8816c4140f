# The messages of the protocol, generated from schema/ while building.
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)

# Sets moldau_message_sources and moldau_message_json_sources. The generator leaves a file alone that would not change,
# so a changed schema rebuilds what includes its header and no more.
function(moldau_generated_messages)
  set(schema ${CMAKE_SOURCE_DIR}/schema)
  set(out ${CMAKE_BINARY_DIR}/generated/protocol)
  file(GLOB schemas CONFIGURE_DEPENDS ${schema}/*/*.message)
  file(GLOB generator CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/protocol_generator/*.py)

  set(headers ${out}/api_key.h ${out}/error_code.h)
  foreach(message ${schemas})
    get_filename_component(stem ${message} NAME_WE)
    list(APPEND headers ${out}/messages/${stem}.h)
  endforeach()
  set(sources ${out}/api_table.cc ${out}/error_code.cc)
  set(json_sources ${out}/json/registry.cc)
  foreach(group RANGE 27)  # GROUP_COUNT of the generator
    string(REGEX REPLACE "^(.)$" "0\\1" number ${group})
    list(APPEND sources ${out}/messages/group_${number}.cc)
    list(APPEND json_sources ${out}/json/group_${number}.cc)
  endforeach()

  add_custom_command(
    OUTPUT ${headers} ${sources} ${json_sources}
    COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/generate_protocol.py ${schema} ${out}
    DEPENDS ${schemas} ${generator} ${schema}/apis.table ${schema}/errors.table
            ${CMAKE_SOURCE_DIR}/tools/generate_protocol.py
    COMMENT "Generating the protocol's messages"
    VERBATIM)
  add_custom_target(moldau_messages DEPENDS ${headers} ${sources} ${json_sources})
  set(moldau_message_sources ${sources} PARENT_SCOPE)
  set(moldau_message_json_sources ${json_sources} PARENT_SCOPE)
endfunction()

# Messages as JSON, in a library of its own: only tools, vectors and fuzzers want it.
function(moldau_protocol_json)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/protocol/json/*.cc)
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")
  add_library(moldau_protocol_json STATIC ${sources} ${moldau_message_json_sources})
  target_link_libraries(moldau_protocol_json PUBLIC moldau_protocol Boost::json)
  moldau_precompile(moldau_protocol_json moldau_base)
  add_dependencies(moldau_protocol_json moldau_messages)
endfunction()
