//! The protocol engine on a clock of its own, against a module played by hand.

mod support;

mod answer_orders;
mod busy_clients;
mod habit_of_data_echo;
mod late_results;
mod splits_of_messages;
mod splits_of_publishes;
