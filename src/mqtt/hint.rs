//! Advice for the person at the rig when the module refuses.

/// The advice for a refusal.
pub(super) fn hint(command: &str, code: Option<u16>) -> &'static str {
    let starts = |name: &str| command.to_ascii_uppercase().starts_with(name);
    match code {
        None if starts("AT+CPIN=") => {
            ": check the PIN before the next try, since three wrong ones lock the card until its PUK is entered"
        }
        None if starts("AT+CMQTTSTART") => {
            ": the service runs already (is_started()), or there is no network (cell())"
        }
        None if starts("AT+CMQTTSTOP") => ": the service does not run",
        None if starts("AT+CMQTTACCQ") => ": the client is in use, or the service is not started (start())",
        None if starts("AT+CMQTTREL") => {
            ": the client is still connected (disconnect()), or was not acquired"
        }
        None if starts("AT+CMQTTCONNECT=") => {
            ": does the service still run (is_started())? some brokers refuse MQTT 3.1 like this, try version=\"3.1.1\""
        }
        None if starts("AT+CMQTTCFG=\"CHECKUTF8\"") => {
            ": this firmware may not know the setting; leave check_utf8 out"
        }
        None if starts("AT+CMQTTCFG=\"OPTIMEOUT\"") => {
            ": this firmware may not know the setting; leave operation_timeout out"
        }
        None if starts("AT+CMQTT") => ": is the service started, and the client acquired?",
        Some(1) if starts("AT+CMQTTSUB") => {
            ": the broker refused the filter; what does it allow this client?"
        }
        Some(2) => {
            ": a topic that is not UTF-8, or holds a NUL, needs check_utf8=False, and a broker that takes it"
        }
        Some(3) => ": no broker listens there, or the network does not let it through; check host and port",
        Some(4 | 5 | 7 | 8 | 9 | 15) => {
            ": the module has no data connection; check the SIM, its data plan, the antenna and cell()"
        }
        Some(6) => ": the connection broke; a broker closes it on what it does not allow",
        Some(11) => ": the client is not connected",
        Some(12) => {
            ": is there a wildcard (+ or #) in a topic to publish to, or in the wrong place of a filter? limits() tells \
             what else this module takes"
        }
        Some(22) => ": limits() tells what this module takes",
        Some(13) => ": this module's firmware cannot do that",
        Some(14) => ": the client has another operation under way",
        Some(16) => ": the connection broke while it was sent; check signal_quality()",
        Some(17) => {
            ": the network or the broker did not answer in time; check signal_quality(), or give it more with timeout"
        }
        Some(19) if starts("AT+CMQTTSTOP") => ": release the clients first",
        Some(19) if starts("AT+CMQTTCONNECT") => ": it is connected already, disconnect() first",
        Some(19) => ": the client is in use, release() it first",
        Some(20) => ": acquire() or connect() first",
        Some(21) => ": release the clients first",
        Some(23) => ": the module holds a data connection from before; stop(), then start()",
        Some(24) => ": is it an MQTT broker that listens there?",
        Some(25) => ": the host name could not be resolved; check it, and the SIM's data plan",
        Some(26) => ": the broker closed the connection; a port that speaks TLS wants mqtts://",
        Some(27) => ": the broker does not speak this version of MQTT, try the other `version`",
        Some(28) => ": the broker does not accept this client id",
        Some(29) => ": the broker takes no connections now, try again later",
        Some(30 | 31) => ": check username and password, and what the broker allows them",
        Some(32) => {
            ": the TLS handshake failed; check the ca, the host name in the server's certificate, the module's clock \
             (ignore_local_time) and its firmware"
        }
        Some(33) => ": a certificate is missing on the module; see certificates()",
        Some(34) => {
            ": the session could not be opened; are ca, cert and key PEM files, and does the key belong to the cert?"
        }
        Some(35) => ": the connection may be gone already; query() tells",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn every_refusal_of_the_note_has_one() {
        // The driver never sends an index or an empty topic that the module could refuse with these.
        for code in (2..=35).filter(|code| ![10, 18].contains(code)) {
            assert!(hint("AT+CMQTTPUB=0,1,60", Some(code)).starts_with(": "), "{code}");
        }
        assert_eq!(hint("AT+CMQTTPUB=0,1,60", Some(99)), "");
    }
}
