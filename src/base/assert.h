// Assertions that stay on in every build.
//
// A failed assertion is a programmer's error: the process writes the expression, the place and a backtrace to standard
// error and aborts. Operating errors (bad input, a failing disk) are never asserted; they are values, see result.h.
#pragma once

namespace moldau {

[[noreturn, gnu::cold]] void assertion_failed(const char* expression, const char* file, int line, const char* why);

}  // namespace moldau

#define MOLDAU_ASSERT(expression)                                                            \
  do {                                                                                       \
    if (!(expression)) [[unlikely]]                                                          \
      ::moldau::assertion_failed(#expression, __FILE__, __LINE__, nullptr);                  \
  } while (false)

// As MOLDAU_ASSERT, with a sentence on why it must hold.
#define MOLDAU_ASSERT_MSG(expression, why)                                                   \
  do {                                                                                       \
    if (!(expression)) [[unlikely]]                                                          \
      ::moldau::assertion_failed(#expression, __FILE__, __LINE__, why);                      \
  } while (false)

#define MOLDAU_UNREACHABLE(why) ::moldau::assertion_failed("unreachable", __FILE__, __LINE__, why)
