//! Received messages as the module prints them.

use std::io::Write;

/// The longest part of a topic or payload that the module prints at once.
const PART_SIZE: usize = 1500;

/// One leading CR LF, one behind each part, payloads in parts of 1500 bytes.
pub fn message_block(client: u8, topic: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(payload.len() + topic.len() + 200);
    push(&mut block, format_args!("\r\n+CMQTTRXSTART: {client},{},{}\r\n", topic.len(), payload.len()));
    push_parts(&mut block, client, "TOPIC", topic);
    push_parts(&mut block, client, "PAYLOAD", payload);
    push(&mut block, format_args!("+CMQTTRXEND: {client}\r\n"));
    block
}

fn push_parts(block: &mut Vec<u8>, client: u8, name: &str, bytes: &[u8]) {
    for part in bytes.chunks(PART_SIZE) {
        push(block, format_args!("+CMQTTRX{name}: {client},{}\r\n", part.len()));
        block.extend_from_slice(part);
        block.extend_from_slice(b"\r\n");
    }
}

fn push(block: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    block.write_fmt(text).expect("writing to a vector cannot fail");
}
