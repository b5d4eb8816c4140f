# The headers of other people that nearly every source includes, parsed once a build instead of once a source: a sixth of a
# release build's time and half of a sanitizer build's. The debug build has none, and sees that every source includes what it uses.
option(MOLDAU_PRECOMPILED "Precompile the standard library's, fmt's and GoogleTest's headers" ON)

set(moldau_precompiled_headers
  <algorithm> <array> <atomic> <bit> <chrono> <coroutine> <deque> <expected> <functional> <map> <memory> <mutex>
  <optional> <set> <span> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)

# Without the header itself behind it, as CMake would have it: the compiler cache takes that path as it is, the clone's folder and all.
set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)

# moldau_precompile(TARGET OWNER [HEADERS...]): TARGET uses the headers that were compiled for OWNER, which may be itself.
# A library's objects and a program's need one each, because they differ in -fPIC and -fPIE; so do other optimisations.
function(moldau_precompile target owner)
  if(NOT MOLDAU_PRECOMPILED)
    return()
  endif()
  if(target STREQUAL owner)
    set(headers ${moldau_precompiled_headers} ${ARGN})
    target_precompile_headers(${target} PRIVATE ${headers})
    moldau_name_precompiled(${target} ${headers})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()

# A precompiled header holds its folder's name, so that no two clones have the same one. What the compiler cache goes by instead
# (CCACHE_PCH_EXTSUM in ./dev) is the hash of the text it was made from, taken anew when the system gets other headers.
function(moldau_name_precompiled target)
  list(TRANSFORM ARGN PREPEND "#include " OUTPUT_VARIABLE includes)
  list(JOIN includes "\n" text)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}_precompiled.cc)
  file(WRITE ${source} "${text}\n")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -std=c++23 -E -P ${source} OUTPUT_VARIABLE parsed RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} cannot read the headers in ${source}")
  endif()
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -std=c++23 -M ${source} OUTPUT_VARIABLE read_from)
  string(REGEX MATCHALL "/[^ \n]+" read_from "${read_from}")
  list(FILTER read_from INCLUDE REGEX "^/usr/")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${read_from})
  string(SHA256 hash "${parsed}")
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.pch.sum "${hash}\n")
endfunction()
