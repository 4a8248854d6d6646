//! The protocol engine on a clock of its own, against a module played by hand.
#![allow(unreachable_pub, reason = "nothing outside a test crate can see it")]

mod support;

mod answer_orders;
mod busy_clients;
mod closing_and_abandoning;
mod damaged_blocks;
mod habit_of_data_echo;
mod half_entered_data;
mod hostile_streams;
mod lane_order;
mod late_results;
mod matrix;
mod opening_a_port;
mod random_damage;
mod random_sessions;
mod restarts_and_losses;
mod secrets;
mod silent_modules;
mod splits_of_messages;
mod splits_of_publishes;
mod stray_answers;
mod topic_listings;
