// Mutants: faults planted on purpose, to show that the tests and the simulation find what they claim to find.
//
// `if (MOLDAU_MUTANT("crc-unchecked")) return;` is a constant false, and gone, in every build but those of the preset
// `mutants`; there it is true while that mutant is switched on. Place one next to the line it breaks.
#pragma once

#ifdef MOLDAU_MUTANTS

#include <string>
#include <string_view>

namespace moldau {
inline std::string active_mutant;  // empty: none
inline bool mutant_is_on(std::string_view name) { return active_mutant == name; }
}  // namespace moldau
#define MOLDAU_MUTANT(name) (::moldau::mutant_is_on(name))

#else

#define MOLDAU_MUTANT(name) (false)

#endif
