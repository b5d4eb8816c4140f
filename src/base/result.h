// Operating errors as values: `result<T, E>` is std::expected, and MOLDAU_TRY / MOLDAU_CO_TRY hand an error on.
//
// Each module has its own error type (storage::Error, runtime::IoError, ...); the broker maps them to Kafka's error
// codes in one place. Exceptions are not used for operating errors and never cross a coroutine boundary.
#pragma once

#include <expected>
#include <utility>

namespace moldau {

template <class T, class E>
using result = std::expected<T, E>;

template <class E>
[[nodiscard]] constexpr auto fail(E&& error) {
  return std::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

}  // namespace moldau

#define MOLDAU_CONCAT_INNER(a, b) a##b
#define MOLDAU_CONCAT(a, b) MOLDAU_CONCAT_INNER(a, b)

// MOLDAU_TRY(auto x, f()): declares x from the value of f(), or returns f()'s error from this function.
#define MOLDAU_TRY(declaration, expression)                                                  \
  auto&& MOLDAU_CONCAT(try_, __LINE__) = (expression);                                       \
  if (!MOLDAU_CONCAT(try_, __LINE__)) [[unlikely]]                                           \
    return std::unexpected(std::move(MOLDAU_CONCAT(try_, __LINE__)).error());                \
  declaration = std::move(*MOLDAU_CONCAT(try_, __LINE__))

// MOLDAU_CHECK(f()): returns f()'s error, if it has one; for result<void, E>.
#define MOLDAU_CHECK(expression)                                                             \
  do {                                                                                       \
    auto&& check_outcome = (expression);                                                     \
    if (!check_outcome) [[unlikely]]                                                         \
      return std::unexpected(std::move(check_outcome).error());                              \
  } while (false)

// The same two inside a coroutine; the expression usually holds a co_await.
#define MOLDAU_CO_TRY(declaration, expression)                                               \
  auto&& MOLDAU_CONCAT(try_, __LINE__) = (expression);                                       \
  if (!MOLDAU_CONCAT(try_, __LINE__)) [[unlikely]]                                           \
    co_return std::unexpected(std::move(MOLDAU_CONCAT(try_, __LINE__)).error());             \
  declaration = std::move(*MOLDAU_CONCAT(try_, __LINE__))

#define MOLDAU_CO_CHECK(expression)                                                          \
  do {                                                                                       \
    auto&& check_outcome = (expression);                                                     \
    if (!check_outcome) [[unlikely]]                                                         \
      co_return std::unexpected(std::move(check_outcome).error());                           \
  } while (false)
