# Programs with the planted faults of base/mutant.h in them: PROGRAM_mutants beside PROGRAM, in the same build and with
# the same flags. Only the sources that hold a mutant are compiled a second time, and linked in front of the libraries,
# whose own copies of them are then left out. Nothing of this is built unless it is asked for: tests/mutants/run asks.
file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.cc)
list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")
set(mutated)
foreach(source ${sources})
  file(STRINGS ${source} uses REGEX MOLDAU_MUTANT LIMIT_COUNT 1)
  if(uses)
    list(APPEND mutated ${source})
  endif()
endforeach()
add_library(moldau_mutated OBJECT EXCLUDE_FROM_ALL ${mutated})
target_compile_definitions(moldau_mutated PRIVATE MOLDAU_MUTANTS)
target_link_libraries(moldau_mutated PUBLIC moldau_server)
moldau_precompile(moldau_mutated moldau_base)

foreach(program simulate moldau check_vectors base_test protocol_test runtime_test storage_test client_test raft_test
                metadata_test controller_test groups_test transactions_test broker_test server_test)
  if(TARGET ${program})
    add_executable(${program}_mutants EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${program}>)
    target_link_libraries(${program}_mutants PRIVATE moldau_mutated $<TARGET_PROPERTY:${program},LINK_LIBRARIES>)
    set_target_properties(${program}_mutants PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/mutants)
  endif()
endforeach()
