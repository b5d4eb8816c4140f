// Mutants: faults planted on purpose, to show that the tests and the simulation find what they claim to find.
//
// `if (MOLDAU_MUTANT("crc-unchecked")) return;` is a constant false, and gone, in every program but those named
// PROGRAM_mutants (cmake/mutants.cmake); there it is true while the environment variable MOLDAU_MUTANT holds that name.
// Place one next to the line that it breaks, in a source and not in a header, and enter it in tests/mutants/list.
#pragma once

#ifdef MOLDAU_MUTANTS

#include <string_view>

namespace moldau {
[[nodiscard]] bool mutant_is_on(std::string_view name);
}  // namespace moldau
#define MOLDAU_MUTANT(name) (::moldau::mutant_is_on(name))

#else

#define MOLDAU_MUTANT(name) (false)

#endif
