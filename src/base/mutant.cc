#include "base/mutant.h"

#ifdef MOLDAU_MUTANTS

#include <cstdlib>

namespace moldau {

bool mutant_is_on(std::string_view name) {
  static const char* const active = std::getenv("MOLDAU_MUTANT");
  return active != nullptr && name == active;
}

}  // namespace moldau

#endif
