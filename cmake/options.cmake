# Compiler flags of every target: C++23, warnings as errors, hardening, and the sanitizer that MOLDAU_SANITIZE names.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

set(MOLDAU_SANITIZE "" CACHE STRING "Sanitizers of this build: empty, 'address,undefined' or 'thread'")

# A sanitizer finds what these stop, and compiling both costs more than either.
if(NOT MOLDAU_SANITIZE)
  set(moldau_hardening -fstack-protector-strong -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero)
endif()

add_library(moldau_options INTERFACE)
target_compile_options(moldau_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  -Wno-missing-field-initializers
  ${moldau_hardening}
  -fno-omit-frame-pointer -gline-tables-only)
if(CMAKE_UNITY_BUILD)
  # A local may have the name of something in a source that only this build puts in front of it.
  target_compile_options(moldau_options INTERFACE -Wno-shadow)
endif()
target_compile_definitions(moldau_options INTERFACE _GLIBCXX_ASSERTIONS)
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT MOLDAU_SANITIZE)
  target_compile_definitions(moldau_options INTERFACE _FORTIFY_SOURCE=3)
endif()
target_link_options(moldau_options INTERFACE -fuse-ld=lld -Wl,-z,relro,-z,now -Wl,--gc-sections)
target_include_directories(moldau_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
if(MOLDAU_SANITIZE)
  # Without null, because the address sanitizer stops there as well, and vptr, which wants the types of every object.
  target_compile_options(moldau_options INTERFACE -fsanitize=${MOLDAU_SANITIZE} -fno-sanitize=null,vptr -fno-sanitize-recover=all)
  target_link_options(moldau_options INTERFACE -fsanitize=${MOLDAU_SANITIZE})
endif()
