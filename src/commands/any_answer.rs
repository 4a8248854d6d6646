//! Whatever the module says, no parser panics, and none makes more of it than is there.

use proptest::collection::vec;
use proptest::prelude::*;

use super::information::tests::lines;
use super::{
    Cell, ClientReport, Identity, Lines, ModuleInfo, PayloadLimit, Registration, SignalQuality,
    SslContextIndex, certificate, client, client_configuration, connection, identity, network, ssl_context,
    subscribing,
};
use crate::at::ClientIndex;

fn parse_with_everything(lines: &Lines) {
    let _ = client::acquired_clients(lines);
    let _ = client::ssl_contexts_in_use(lines);
    let _ = connection::connections(lines);
    let _ = connection::connected(lines);
    let _ = client_configuration::configurations(lines);
    let _ = ssl_context::settings(SslContextIndex::parse(0).unwrap(), lines);
    let _ = PayloadLimit::from_answer(lines);
    let _ = Cell::from_answer(lines);
    let _ = SignalQuality::from_answer(lines);
    let _ = Registration::from_eps_answer(lines);
    let _ = Registration::from_gprs_answer(lines);
    let _ = network::sim_state(lines);
    let _ = Identity::ALL.map(|identity| identity.from_answer(lines));
    let _ = ClientReport::from_answers(ClientIndex::Zero, &vec![lines.to_vec(); 5]);
    let _ = ModuleInfo::from_answers(&[lines.to_vec()]);
    assert!(certificate::list(lines).len() <= lines.len());
    assert!(network::pdp_contexts(lines).len() <= lines.len());
    assert!(subscribing::subscribed_topics(lines).len() <= lines.len());
    assert!(identity::about(lines).len() <= lines.len());
}

/// Lines that begin well, so that the parsers look at what follows.
fn plausible_line() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        "CMQTTACCQ",
        "CMQTTSSLCFG",
        "CMQTTCONNECT",
        "CMQTTDISC",
        "CMQTTCFG",
        "CMQTTSUB",
        "CMQTTPAYLOAD",
        "CSSLCFG",
        "CCERTLIST",
        "CSQ",
        "CPSI",
        "CGACT",
        "CEREG",
        "CGREG",
        "CPIN",
        "CGMR",
    ]);
    let parameter = prop::sample::select(vec![
        "",
        "0",
        "1",
        "99",
        "-1",
        "-2147483648",
        "99999999999999999999",
        "\"",
        "\"\"",
        "\"a,b\"",
        "(0-1)",
        "(1-4096)",
        "(-)",
        "LTE",
        "NO SERVICE",
        "0x",
        "0xFFFFFFFFFF",
        " ",
        "é",
        "-103",
        "1.5",
    ]);
    (name, vec(parameter, 0..20))
        .prop_map(|(name, parameters)| format!("+{name}: {}", parameters.join(",")).into_bytes())
}

proptest! {
    #[test]
    fn of_any_bytes(lines in vec(vec(any::<u8>(), 0..200), 0..10)) {
        parse_with_everything(&lines);
    }

    #[test]
    fn that_begins_well(lines in vec(plausible_line(), 0..10)) {
        parse_with_everything(&lines);
    }

    #[test]
    fn cut_short_anywhere(line in plausible_line(), at in any::<prop::sample::Index>()) {
        let cut = line[..at.index(line.len() + 1)].to_vec();
        parse_with_everything(&[cut]);
    }

    #[test]
    fn what_was_acquired_is_read_back(id in "[^\"\\r\\n\0\u{8}]{1,30}", tls: bool) {
        prop_assume!(!id.trim_ascii().is_empty());
        let found = client::acquired_clients(&lines(&format!("+CMQTTACCQ: 0,\"{id}\",{}", u8::from(tls)))).unwrap();
        prop_assert_eq!(&found[0].client_id, &id);
        prop_assert_eq!(found[0].tls, tls);
    }
}
