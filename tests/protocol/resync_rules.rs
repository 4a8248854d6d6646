//! One example for each rule that decides which bytes to trust around a damaged message.
//!
//! The other tests of damage play thousands of cases and do not say which rule a case needs.

use simcom_mqtt::at::ClientIndex::{One, Zero};

use crate::support::{Block, ScriptedModule, Spacing, then};

/// Two seconds and twice the wire time of the longest message.
const DROP_AFTER_MS: u64 = 4_100;

const START: &str = "\r\n+CMQTTRXSTART: 0,3,5\r\n";
const TOPIC: &str = "+CMQTTRXTOPIC: 0,3\r\nt/1\r\n";
const PAYLOAD: &str = "+CMQTTRXPAYLOAD: 0,5\r\nhello\r\n";
const END: &str = "+CMQTTRXEND: 0\r\n";

fn module_that_sent(pieces: &[&str]) -> ScriptedModule {
    let mut module = ScriptedModule::new();
    module.send(pieces.concat());
    module
}

/// The driver knows where the damaged message ends, so the next one is delivered at once.
fn expect_next_message(module: &mut ScriptedModule) {
    module.send(Block::new(0, "next", "message").bytes());
    module.expect_message(0, "next", "message");
}

fn fake_message() -> String {
    String::from_utf8(Block::new(0, "fake", "never sent").bytes()).unwrap()
}

// Headers that are damaged themselves.

#[test]
fn header_without_the_beginning_of_its_name_is_no_urc() {
    for start in ["\r\n+CMSTART: 0,3,5\r\n", "\r\nXSTART: 0,3,5\r\n", "helloXSTART: 0,3,5\r\n"] {
        let mut module = module_that_sent(&[start]);
        assert_eq!(module.urcs(), [""; 0], "{start}");
        assert_eq!(module.losses(), [None], "{start}");
    }
}

#[test]
fn end_without_the_beginning_of_its_name_ends_the_message() {
    let mut module = module_that_sent(&[START, TOPIC, PAYLOAD, "+CMQTTD: 0\r\n"]);
    assert_eq!(module.losses(), [Some(Zero)]);
    expect_next_message(&mut module);
}

#[test]
fn topic_header_joined_to_the_start_is_read_by_its_count() {
    let mut module = module_that_sent(&[
        "\r\n+CMQTTRXSTART: 0,16,5",
        "+CMQTTRXTOPIC: 0,16\r\n+CMQTTRXEND: 0\r\n\r\n",
        PAYLOAD,
        END,
    ]);
    assert_eq!(module.losses().len(), 2);
    assert_eq!(module.urcs(), [""; 0]);
    expect_next_message(&mut module);
}

#[test]
fn joined_header_longer_than_what_is_missing_is_not_read_by_its_count() {
    let joined = "+CMQTTRXPAYLOAD: 0,XPAYLOAD: 0,500\r\nhello\r\n";
    let mut module = module_that_sent(&[START, TOPIC, joined, END]);
    assert_eq!(module.losses(), [Some(Zero)]);
    expect_next_message(&mut module);
}

#[test]
fn bytes_behind_a_header_without_line_end_are_content() {
    let first_line = "a first line of the payload";
    let payload = format!("{first_line}\r\nand another one");
    let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", payload.len());
    let header = format!("+CMQTTRXPAYLOAD: 0,{}", payload.len());
    let mut module = module_that_sent(&[&start, TOPIC, &header, &payload, "\r\n", END]);
    assert_eq!(module.losses(), [Some(Zero)]);
    expect_next_message(&mut module);
}

/// The rest of the number and the CR are lost, so the count is too short.
#[test]
fn part_header_with_a_damaged_line_end_does_not_lead_to_a_message() {
    let fake = fake_message();
    let payload = format!("ab{}{fake}", "\r\n+CMQTTRXEND: 0\r\n");
    let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", payload.len());
    let mut module = module_that_sent(&[&start, TOPIC, "+CMQTTRXPAYLOAD: 0,2\n", &payload, "\r\n", END]);
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.messages(), []);
}

// Headers that contradict each other.

#[test]
fn payload_before_the_whole_topic_is_damage() {
    let mut module = module_that_sent(&[START, PAYLOAD, TOPIC, END]);
    assert_eq!(module.losses(), [Some(Zero)]);
    assert_eq!(module.messages(), []);
}

#[test]
fn part_longer_than_announced_is_damage() {
    let mut module = module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD: 0,6\r\nhello!\r\n"]);
    assert_eq!(module.losses(), [Some(Zero)]);
}

#[test]
fn empty_part_is_damage() {
    let mut module = module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD: 0,0\r\n"]);
    assert_eq!(module.losses(), [Some(Zero)]);
}

#[test]
fn second_start_drops_the_first_message() {
    let mut module = module_that_sent(&[START, TOPIC, START]);
    assert_eq!(module.losses(), [Some(Zero)]);
}

// Parts whose length is wrong.

/// The payload lost two bytes, and its count took the line end. So the answer has no line end before it.
#[test]
fn line_without_a_line_end_before_it_shows_that_a_part_lost_bytes() {
    let mut module = module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD: 0,5\r\nhel\r\n\r\n+CGEV: x\r\n"]);
    assert_eq!(module.losses(), [Some(Zero)]);
}

#[test]
fn prompt_without_a_line_end_before_it_shows_that_a_part_lost_bytes() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTTOPIC=0,1", b"x");
    module.send([START, TOPIC, "+CMQTTRXPAYLOAD: 0,5\r\nhel\r\n\r\n>"].concat());
    assert_eq!(module.losses(), [Some(Zero)]);
}

#[test]
fn start_without_a_line_end_before_it_shows_that_a_part_lost_bytes() {
    let mut module =
        module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD: 0,5\r\nhel\r\n\r\n+CMQTTRXSTART: 1,3,5\r\n"]);
    assert_eq!(module.losses(), [Some(Zero)]);
}

/// Eighteen bytes were added, which pushed the last line of the payload behind the count.
#[test]
fn header_of_a_client_without_a_message_shows_that_a_part_was_pushed_behind_its_count() {
    for pushed_out in ["+CMQTTRXEND: 1\r\n", "+CMQTTRXPAYLOAD: 1,5\r\n"] {
        let mut module =
            module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD: 0,5\r\nxxxxx\r\n", pushed_out, "\r\n", END]);
        assert_eq!(module.messages(), [], "{pushed_out}");
        assert!(module.losses().contains(&Some(Zero)), "{pushed_out}");
    }
}

/// Line ends were added before `OK`, which pushed it behind the count.
#[test]
fn unknown_line_behind_a_part_that_ends_as_a_line_was_pushed_behind_its_count() {
    let mut module =
        module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD: 0,5\r\na\r\n\r\n\r\n\r\nOK\r\n", END]);
    assert_eq!(module.losses(), [Some(Zero)]);
}

#[test]
fn line_of_another_feature_behind_a_part_that_ends_as_a_line_is_no_damage() {
    let payload = "+CMQTTRXPAYLOAD: 0,5\r\nabc\r\n\r\n";
    let mut module = module_that_sent(&[START, TOPIC, payload, "\r\n+OTHER: x\r\n", END]);
    module.expect_message(0, "t/1", "abc\r\n");
    assert_eq!(module.urcs(), ["+OTHER: x"]);
}

/// The count took the line end and the first bytes of the next line.
#[test]
fn line_whose_beginning_was_counted_is_read_again() {
    let mut module = module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD: 0,5\r\no\r\n+CGEV: x\r\n"]);
    assert_eq!(module.losses(), [Some(Zero)]);
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.urcs(), ["+CGEV: x"]);
}

#[test]
fn start_whose_beginning_was_counted_is_reported_by_its_own_message_only() {
    let block = String::from_utf8(Block::new(1, "t/2", "ten digits").bytes()).unwrap();
    let (counted, rest) = block.split_at(block.find("0\r\n").unwrap());
    let ran_over = format!("o\r\n{END}{counted}");
    let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", ran_over.len());
    let header = format!("+CMQTTRXPAYLOAD: 0,{}\r\n", ran_over.len());
    let mut module = module_that_sent(&[&start, TOPIC, &header, &ran_over, rest]);
    module.wait_ms(DROP_AFTER_MS);
    module.expect_message(1, "t/2", "ten digits");
    assert_eq!(module.losses(), [Some(Zero)]);
}

#[test]
fn line_that_is_read_again_is_no_evidence_against_the_other_client() {
    let mut module = module_that_sent(&["\r\n+CMQTTRXSTART: 1,1,1\r\n+CMQTTRXTOPIC: 1,1\r\na\r\n"]);
    module.send([START, TOPIC, "+CMQTTRXPAYLOAD: 0,5\r\no\r\n+CGEV: x\r\n"].concat());
    module.send("+CMQTTRXPAYLOAD: 1,1\r\nb\r\n+CMQTTRXEND: 1\r\n");
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.losses(), [Some(Zero)]);
    module.expect_message(1, "a", "b");
}

#[test]
fn part_with_the_wrong_length_is_read_over_by_the_shorter_length() {
    // The RXSTART said 5.
    let mut module = module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD: 0,95\r\nhello\r\n", END]);
    assert_eq!(module.losses(), [Some(Zero)]);
    module.send(then(&["+CGEV: x"]));
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.urcs(), ["+CGEV: x"]);
}

#[test]
fn part_longer_than_any_can_be_is_not_read_over() {
    let mut module = module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD: 0,10241\r\nhello\r\n", END]);
    assert_eq!(module.losses(), [Some(Zero)]);
    expect_next_message(&mut module);
}

#[test]
fn end_behind_a_part_header_with_an_impossible_length_may_be_payload() {
    let payload = format!("{}\r\n{END}OK", "x".repeat(40));
    let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", payload.len());
    let mut module =
        module_that_sent(&[&start, TOPIC, "+CMQTTRXPAYLOAD: 0,99999\r\n", &payload, "\r\n", END]);
    assert_eq!(module.losses(), [Some(Zero)]);
    assert_eq!(module.urcs(), [""; 0]);
    expect_next_message(&mut module);
}

// Lines, prompts and messages until the damaged message ends.

#[test]
fn answer_between_the_parts_of_a_message_is_taken_at_once() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT");
    module.send([START, TOPIC, "\r\nOK\r\n"].concat());
    module.expect_success(1);
}

#[test]
fn header_of_a_damaged_message_is_no_evidence_against_the_other_client() {
    let mut module = module_that_sent(&["\r\n+CMQTTRXSTART: 1,1,1\r\n+CMQTTRXTOPIC: 1,1\r\na\r\n"]);
    // The topic of the other client is shorter than its header says.
    module.send([START, "+CMQTTRXTOPIC: 0,3\r\nt\r\n"].concat());
    module.send("+CMQTTRXPAYLOAD: 1,1\r\nb\r\n");
    module.send(
        [PAYLOAD, "\r\n+CGEV: a line longer than the header of a part\r\n", "+CMQTTRXEND: 1\r\n"].concat(),
    );
    module.wait_ms(DROP_AFTER_MS);
    module.expect_message(1, "a", "b");
}

#[test]
fn lines_of_a_damaged_message_are_dropped_at_its_end() {
    let mut module = module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD; 0,5\r\nOK\r\nx\r\n", END]);
    assert_eq!(module.losses(), [Some(Zero)]);
    assert_eq!(module.urcs(), [""; 0]);
    expect_next_message(&mut module);
}

#[test]
fn lines_behind_a_damaged_message_without_an_end_are_released_in_order() {
    let mut module = module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD; 0,5\r\nhello\r\n"]);
    module.send(then(&["+CGEV: 1", "+CGEV: 2"]));
    assert_eq!(module.urcs(), [""; 0]);
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.urcs(), ["hello", "+CGEV: 1", "+CGEV: 2"]);
}

#[test]
fn held_lines_are_released_before_they_are_too_many() {
    let mut module = module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD; 0,5\r\n"]);
    for _ in 0..9_000 {
        module.send(then(&["+CGEV: x"]));
    }
    assert_eq!(module.urcs().len(), 9_000);
}

/// The header of the payload is damaged, so the fake message in the payload is read as one.
#[test]
fn end_before_the_announced_bytes_came_is_payload() {
    let fake = fake_message();
    let payload = format!("{END}{fake}{fake}");
    let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", payload.len());
    let header = format!("+CMQTTRXPAYLOAD; 0,{}\r\n", payload.len());
    let mut module = module_that_sent(&[&start, TOPIC, &header, &payload, "\r\n", END]);
    assert_eq!(module.messages(), []);
    expect_next_message(&mut module);
}

/// The end of the damaged message is damaged as well, so nothing shows what was payload but its length.
#[test]
fn message_that_fits_into_the_missing_bytes_is_not_released() {
    let fake = fake_message();
    let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", fake.len());
    let header = format!("+CMQTTRXPAYLOAD; 0,{}\r\n", fake.len());
    let mut module = module_that_sent(&[&start, TOPIC, &header, &fake, "\r\n+CMQTTRxEND: 0\r\n"]);
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.messages(), []);
    assert_eq!(module.losses(), [Some(Zero), Some(Zero)]);
}

#[test]
fn two_fake_starts_in_a_damaged_message_do_not_end_it_early() {
    let fakes = "\r\n+CMQTTRXSTART: 0,1,1\r\n\r\n+CMQTTRXSTART: 0,1,1\r\n\r\n+CGEV: x\r\n";
    let payload = format!("{fakes}{END}{}", fake_message());
    let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", payload.len());
    let header = format!("+CMQTTRXPAYLOAD; 0,{}\r\n", payload.len());
    let mut module = module_that_sent(&[&start, TOPIC, &header, &payload, "\r\n", END]);
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.messages(), []);
}

#[test]
fn end_of_the_other_client_inside_a_damaged_message_is_payload() {
    let payload = "OK\r\n+CMQTTRXEND: 1\r\n";
    let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", payload.len());
    let header = format!("+CMQTTRXPAYLOAD; 0,{}\r\n", payload.len());
    let mut module = module_that_sent(&[&start, TOPIC, &header, payload, "\r\n"]);
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.losses(), [Some(Zero)]);
    assert_eq!(module.urcs(), ["OK"]);
}

#[test]
fn part_header_inside_a_damaged_message_that_goes_beyond_its_end_is_payload() {
    for name in ["TOPIC", "PAYLOAD"] {
        let payload = format!("+CMQTTRX{name}: 0,1000\r\nmore text");
        let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", payload.len());
        let header = format!("+CMQTTRXPAYLOAD; 0,{}\r\n", payload.len());
        let mut module = module_that_sent(&[&start, TOPIC, &header, &payload, "\r\n", END]);
        expect_next_message(&mut module);
    }
}

/// Bytes like a damaged header inside a damaged message of known length is its payload.
#[test]
fn damaged_header_inside_a_damaged_message_is_payload() {
    let mut module = module_that_sent(&[
        "\r\n+CMQTTRXSTART: 0,3,22\r\n",
        TOPIC,
        "+CMQTTRXPAYLOAD; 0,22\r\n",
        "+CMQTTRXPAYLOAD; 0,22\r\n",
        END,
    ]);
    assert_eq!(module.losses(), [Some(Zero)]);
    expect_next_message(&mut module);
}

#[test]
fn message_behind_the_missing_bytes_is_released() {
    let header = "+CMQTTRXPAYLOAD; 0,5\r\n";
    let mut module = module_that_sent(&[START, TOPIC, header, "hello\r\n+CMQTTRxEND: 0\r\n"]);
    module.send(Block::new(0, "next", "message").bytes());
    module.wait_ms(DROP_AFTER_MS);
    module.expect_message(0, "next", "message");
    assert_eq!(module.losses(), [Some(Zero)]);
}

/// Both may be the damaged one's payload.
#[test]
fn message_inside_a_damaged_one_of_the_other_client_is_not_delivered() {
    let fake = String::from_utf8(Block::new(1, "fake", "never sent").bytes()).unwrap();
    let payload = format!("ab\r\n{fake}");
    let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", payload.len());
    let header = format!("+CMQTTRXPAYLOAD; 0,{}\r\n", payload.len());
    let mut module = module_that_sent(&[&start, TOPIC, &header, &payload, "\r\n", END]);
    assert_eq!(module.messages(), []);
    assert_eq!(module.losses(), [Some(Zero), Some(One)]);
}

/// The payload lost its first part, so the prompt is what is left of it.
#[test]
fn prompt_inside_a_damaged_message_is_dropped() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTTOPIC=0,1", b"x");
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.send(["\r\n+CMQTTRXSTART: 0,3,12\r\n", TOPIC, PAYLOAD, "\r\n>", END].concat());
    assert_eq!(module.losses(), [Some(Zero)]);
    module.expect_nothing_written();
}

#[test]
fn prompt_inside_a_message_is_held() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTTOPIC=0,1", b"x");
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.send([START, TOPIC, "\r\n>"].concat());
    module.expect_nothing_written();
    module.send([PAYLOAD, END].concat());
    module.expect_data(b"x");
}

// Messages whose start is lost.

#[test]
fn part_without_a_start_is_read_over_by_its_count() {
    let payload = format!("{END}\r\n+CGEV: x\r\n");
    let header = format!("+CMQTTRXPAYLOAD: 0,{}\r\n", payload.len());
    let mut module = module_that_sent(&[&header, &payload, "\r\n", END]);
    assert_eq!(module.losses(), [Some(Zero)]);
    assert_eq!(module.urcs(), [""; 0]);
    expect_next_message(&mut module);
}

#[test]
fn part_without_a_start_that_is_longer_than_any_is_not_read_over() {
    let mut module = module_that_sent(&["+CMQTTRXPAYLOAD: 0,99999\r\nhello\r\n", END]);
    module.send(Block::new(0, "next", "message").bytes());
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.losses(), [Some(Zero)]);
    module.expect_message(0, "next", "message");
}

/// The RXSTART and the header of the payload are lost.
#[test]
fn end_in_a_message_of_unknown_length_may_be_payload() {
    let payload = format!("OK\r\n{END}{}", fake_message());
    let mut module = module_that_sent(&[TOPIC, &payload, "\r\n", END]);
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.messages(), []);
}

#[test]
fn part_right_behind_a_damaged_start_tells_its_client() {
    let mut module = module_that_sent(&["\r\n+CMQTTRXSTxRT: 0,3,5\r\n", TOPIC, PAYLOAD, END]);
    assert_eq!(module.losses(), [None, Some(Zero)]);
    expect_next_message(&mut module);
}

#[test]
fn another_topic_after_a_whole_one_is_another_message() {
    let header = "+CMQTTRXPAYLOAD; 0,5\r\nhello\r\n";
    let mut module = module_that_sent(&[START, TOPIC, header, "+CMQTTRxEND: 0\r\n", TOPIC, PAYLOAD, END]);
    assert_eq!(module.losses(), [Some(Zero), Some(Zero)]);
    module.wait_ms(DROP_AFTER_MS);
    expect_next_message(&mut module);
}

/// A message without its start and its parts.
#[test]
fn end_without_anything_before_it_is_reported_once() {
    let mut module = module_that_sent(&[END]);
    assert_eq!(module.losses(), [Some(Zero)]);
    module.send(END);
    assert_eq!(module.losses(), []);
    expect_next_message(&mut module);
    module.send(END);
    assert_eq!(module.losses(), [Some(Zero)]);
}

#[test]
fn end_of_a_client_without_a_message_is_reported_while_a_line_is_held() {
    let mut module = module_that_sent(&[START, TOPIC, "\r\nunknown\r\n", "+CMQTTRXEND: 1\r\n", PAYLOAD, END]);
    assert_eq!(module.losses(), [Some(One)]);
    module.expect_message(0, "t/1", "hello");
    assert_eq!(module.urcs(), ["unknown"]);
}

#[test]
fn start_with_impossible_lengths_is_damage_of_an_unknown_message() {
    let mut module = module_that_sent(&["\r\n+CMQTTRXSTART: 0,0,5\r\n", &fake_message(), END]);
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.messages(), []);
}

// Lines that the count of a damaged part covered.

#[test]
fn messages_and_losses_that_a_part_ran_over_are_reported() {
    let lost = String::from_utf8(Block::new(1, "t/2", "lost").bytes()).unwrap();
    let behind = format!("o\r\n{END}{lost}\r\n+CMQTTCONNLOST: 1,1\r\n");
    let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", behind.len());
    let header = format!("+CMQTTRXPAYLOAD: 0,{}\r\n", behind.len());
    let mut module = module_that_sent(&[&start, TOPIC, &header, &behind, "\r\n+CGEV: x\r\n"]);
    module.wait_ms(DROP_AFTER_MS);
    assert_eq!(module.losses(), [Some(Zero), Some(One)]);
    let events = format!("{:?}", module.take_events());
    assert!(events.contains("ConnectionLossSuspected"), "{events}");
}

/// The part ran over the beginning of a message, and the rest of that is read as lines.
#[test]
fn rest_of_a_message_that_a_part_ran_over_is_its_payload() {
    for lines in [fake_message(), "\r\n+CMQTTCONNLOST: 0,1\r\n".to_owned()] {
        let full = Block::new(1, "t/2", format!("12345678\r\n{lines}")).bytes();
        let full = String::from_utf8(full).unwrap();
        let (counted, rest) = full.split_at(full.find("5678").unwrap());
        let ran_over = format!("o\r\n{END}{counted}");
        let start = format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n", ran_over.len());
        let header = format!("+CMQTTRXPAYLOAD: 0,{}\r\n", ran_over.len());
        let mut module = module_that_sent(&[&start, TOPIC, &header, &ran_over, rest]);
        module.wait_ms(DROP_AFTER_MS);
        assert_eq!(module.messages(), []);
        assert_eq!(module.losses()[..2], [Some(Zero), Some(One)]);
        assert_eq!(module.urcs(), [""; 0]);
        expect_next_message(&mut module);
    }
}

#[test]
fn boot_banner_in_a_damaged_message_is_asked_about() {
    let mut module = module_that_sent(&[START, TOPIC, "+CMQTTRXPAYLOAD: 0,5\r\n\r\nRDY\r\n"]);
    module.wait_ms(DROP_AFTER_MS);
    module.expect_line("AT+CMQTTREL?");
}

#[test]
fn boot_banner_in_a_part_without_a_start_is_asked_about() {
    let mut module = module_that_sent(&["+CMQTTRXPAYLOAD: 0,7\r\n\r\nRDY\r\n\r\n"]);
    module.wait_ms(DROP_AFTER_MS);
    module.expect_line("AT+CMQTTREL?");
}

// Blank lines.

#[test]
fn more_than_one_blank_line_is_damage_unless_all_headers_have_as_many() {
    let mut module = module_that_sent(&[START, TOPIC, PAYLOAD, "\r\n\r\n", END]);
    assert_eq!(module.messages(), []);
    assert_eq!(module.losses(), [Some(Zero)]);

    let mut module = module_that_sent(&[START, "\r\n\r\n", TOPIC, "\r\n\r\n", PAYLOAD, "\r\n\r\n", END]);
    module.expect_message(0, "t/1", "hello");
}

#[test]
fn layout_of_another_module_is_not_held_against_the_next() {
    let mut module = ScriptedModule::new();
    let with_blank_lines = Block::new(0, "t/1", "text\r\n").spaced(Spacing::BLANK_LINES);
    module.send(with_blank_lines.bytes());
    module.expect_message(0, "t/1", "text\r\n");
    module.lose_port("unplugged");
    module.engine.handle_port_attached();
    let compact = Block::new(0, "t/1", "text\r\n");
    module.send(compact.bytes());
    module.expect_message(0, "t/1", "text\r\n");
}
