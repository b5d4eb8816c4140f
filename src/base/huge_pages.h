// Memory that is read here and there: with small pages nearly every access waits for the page table first.
#pragma once

#include <cstddef>

namespace moldau {

// Asks for huge pages behind what is not touched yet of these bytes. Advice: what the system makes of it changes no contents.
void prefer_huge_pages(void* memory, size_t bytes);

}  // namespace moldau
