# The headers of other people that nearly every source includes, parsed once a build instead of once a source: half of
# a sanitizer build's time. For builds whose objects nobody shares: a precompiled header would keep the compiler cache
# from serving a second clone, and the builds without it see that every source includes what it uses.
option(MOLDAU_PRECOMPILED "Precompile the standard library's, fmt's and GoogleTest's headers" OFF)

set(moldau_precompiled_headers
  <algorithm> <array> <atomic> <bit> <chrono> <coroutine> <deque> <expected> <functional> <map> <memory> <mutex>
  <optional> <set> <span> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)

# moldau_precompile(TARGET OWNER [HEADERS...]): TARGET uses the headers that were compiled for OWNER, which may be itself.
# A library's objects and a program's need one each, because they differ in -fPIC and -fPIE.
function(moldau_precompile target owner)
  if(NOT MOLDAU_PRECOMPILED)
    return()
  endif()
  if(target STREQUAL owner)
    target_precompile_headers(${target} PRIVATE ${moldau_precompiled_headers} ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()
