/// Returns lines as the module sends them: CR LF text CR LF each.
pub fn then(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("\r\n{line}\r\n").into_bytes()).collect()
}

/// Returns `+CMQTTPUB: 0,11` for the command `CMQTTPUB` of client 0; START and STOP have no client.
pub fn result_line(name: &str, client: Option<u8>, code: u16) -> String {
    match client {
        Some(client) => format!("+{name}: {client},{code}"),
        None => format!("+{name}: {code}"),
    }
}
