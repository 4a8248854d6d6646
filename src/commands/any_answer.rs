//! No answer makes a parser panic.

use proptest::collection::vec;
use proptest::prelude::*;

use super::client::{AcquiredClients, SslContextsInUse};
use super::client_configuration::Configurations;
use super::connection::{ConnectedClients, Connections};
use super::query::tests::lines;
use super::{
    ClientReport, Clock, CurrentPosition, Domain, GnssPower, Iccid, Identity, Imsi, Lines, LongestPayload,
    PdpAddresses, PdpContextDefinitions, PdpContextStates, Query, ReceivedSignal, RegistrationIn,
    SelectedOperator, ServingCell, SimStateQuery, SslContextIndex, certificate, service, ssl_context,
    subscribing,
};
use crate::at::ClientIndex;

fn parse_with_everything(lines: &Lines) {
    let _ = AcquiredClients.answer(lines);
    let _ = SslContextsInUse.answer(lines);
    let _ = Connections.answer(lines);
    let _ = ConnectedClients.answer(lines);
    let _ = Configurations.answer(lines);
    let _ = ssl_context::ContextSettings(SslContextIndex::parse(0).unwrap()).answer(lines);
    let _ = LongestPayload.answer(lines);
    let _ = ServingCell.answer(lines);
    let _ = ReceivedSignal.answer(lines);
    let _ = Domain::ALL.map(|domain| RegistrationIn(domain).answer(lines));
    let _ = SelectedOperator.answer(lines);
    let _ = SimStateQuery.answer(lines);
    let _ = (Iccid.answer(lines), Imsi.answer(lines), Clock.answer(lines));
    let _ = (GnssPower.answer(lines), CurrentPosition.answer(lines));
    let _ = (PdpContextDefinitions.answer(lines), PdpAddresses.answer(lines));
    let _ = service::Limits::ALL.map(|limits| limits.answer(lines));
    let _ = [Identity::Model, Identity::Revision, Identity::Imei].map(|identity| identity.answer(lines));
    let _ = ClientReport::from_answers(ClientIndex::Zero, &vec![lines.to_vec(); 5]);
    assert!(certificate::StoredFiles.answer(lines).unwrap().len() <= lines.len());
    assert!(PdpContextStates.answer(lines).unwrap().len() <= lines.len());
    assert!(subscribing::SubscribedTopics.answer(lines).unwrap().len() <= lines.len());
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
        "CREG",
        "COPS",
        "CGDCONT",
        "CGPADDR",
        "CCLK",
        "CGNSSINFO",
        "CGNSSPWR",
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
        "\"25/08/04,19:02:11+08\"",
        "N",
        "4526.35",
        "010125",
        "072809.3",
        "1.5",
    ]);
    (name, vec(parameter, 0..20))
        .prop_map(|(name, parameters)| format!("+{name}: {}", parameters.join(",")).into_bytes())
}

proptest! {
    #[test]
    fn any_bytes(lines in vec(vec(any::<u8>(), 0..200), 0..10)) {
        parse_with_everything(&lines);
    }

    #[test]
    fn plausible_lines(lines in vec(plausible_line(), 0..10)) {
        parse_with_everything(&lines);
    }

    #[test]
    fn cut_short_anywhere(line in plausible_line(), at in any::<prop::sample::Index>()) {
        let cut = line[..at.index(line.len() + 1)].to_vec();
        parse_with_everything(&[cut]);
    }

    #[test]
    fn acquired_client_id_is_read_back(id in "[^\"\\r\\n\0\u{8}]{1,30}", tls: bool) {
        prop_assume!(!id.trim_ascii().is_empty());
        let found = AcquiredClients.answer(&lines(&format!("+CMQTTACCQ: 0,\"{id}\",{}", u8::from(tls)))).unwrap();
        prop_assert_eq!(&found[0].client_id, &id);
        prop_assert_eq!(found[0].tls, tls);
    }
}
