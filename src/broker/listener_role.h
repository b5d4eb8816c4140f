// Whose listener a connection came through: each offers APIs of its own.
#pragma once

namespace moldau::broker {

enum class ListenerRole { broker, controller };

}  // namespace moldau::broker
