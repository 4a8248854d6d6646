//! The protocol engine on a clock of its own, against a module played by hand.

mod support;

mod habit_of_data_echo;
mod splits_of_messages;
mod splits_of_publishes;
