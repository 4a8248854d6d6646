//! The protocol engine on a simulated clock, against a module that the test plays.
#![allow(unreachable_pub, reason = "nothing outside a test crate can see it")]

mod support;

mod answer_orders;
mod busy_clients;
mod close_and_cancel;
mod damaged_blocks;
mod data_echo_detection;
mod foreign_text;
mod hostile_streams;
mod lane_barriers;
mod late_results;
mod matrix;
mod missing_answers;
mod odd_final_results;
mod open_port;
mod random_damage;
mod random_sessions;
mod restarts_and_losses;
mod resync_rules;
mod secrets;
mod splits_of_messages;
mod splits_of_publishes;
mod staged_data;
mod stray_answers;
mod topic_listings;
